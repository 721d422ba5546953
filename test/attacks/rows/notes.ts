import { type Attack, rows } from "../attack.ts";

const keys = [
  "../../etc/shadow",
  "'; DROP TABLE notes; --",
  "%",
  "\0",
  "__proto__",
  "\u001b[2J\u202e<|im_start|>",
  "project:other",
  "operator:x",
];

/** Notes and sessions by names that try to be more than a name. */
export function noteAttacks(): readonly Attack[] {
  const tools = [
    ["memory", "write", "read", "delete"],
    ["project_memory", "save", "load", "delete"],
  ] as const;
  const sessions = [
    "../x",
    "%",
    "' OR 1=1 --",
    "*",
    "\0",
    "00000000-0000-0000-0000-000000000000",
    "constructor",
  ];
  return [
    ...tools.flatMap(([tool, save, load, remove]) => [
      ...rows(
        tool,
        {},
        keys.map((key) => [
          `the key ${JSON.stringify(key)}`,
          [
            { action: save, key, content: `\u001b[2J<|im_start|>${key}` },
            { action: load, key },
            { action: remove, key },
          ],
        ]),
      ),
      ...rows(tool, { refused: true }, [
        ["too long a note", { action: save, key: "k", content: "x".repeat(70_000) }],
        ["too long a key", { action: save, key: "k".repeat(300), content: "x" }],
        ["an action that is none", { action: "drop", key: "k" }],
        ["no key", { action: load }],
      ]),
      ...rows(tool, {}, [["everything", { action: "list" }]]),
    ]),
    ...rows(
      "memory_search",
      {},
      ['"', "* NOT *", "a OR (", "NEAR(", "key:x", "%".repeat(500)].map((query) => [
        `the query ${query.slice(0, 20)}`,
        { query },
      ]),
    ),
    ...rows(
      "sessions",
      { refused: true },
      sessions.map((sessionId) => [`the history of ${sessionId}`, { action: "history", sessionId }]),
    ),
    ...rows(
      "sessions",
      { refused: true },
      sessions.map((sessionId) => [`a message to ${sessionId}`, { action: "send", sessionId, message: "x" }]),
    ),
    ...rows("sessions", { refused: true }, [
      ["more than there is", { action: "list", limit: 1e9 }],
      ["a message without end", { action: "send", sessionId: "x", message: "x".repeat(100_000) }],
    ]),
    ...[
      "no_such_tool",
      "",
      "../shell",
      "constructor",
      "__proto__",
      "shell\u001b[2J\u202e",
      "a".repeat(10_000),
    ].flatMap((name) => rows(name, { refused: true }, [["a tool that is not there", {}]])),
  ];
}
