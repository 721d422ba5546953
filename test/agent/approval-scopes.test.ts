import { beforeEach, expect, test } from "bun:test";
import * as v from "valibot";
import { type ApprovalOptions, createApprovals } from "../../src/agent/approvals.ts";
import type { AutonomyRules } from "../../src/agent/autonomy.ts";
import { createAgent } from "../../src/agent/loop.ts";
import type { Decision } from "../../src/agent/decision.ts";
import { sessionCommands } from "../../src/agent/session-commands.ts";
import { plainRequest, type Turn, type TurnEvent } from "../../src/agent/turn.ts";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { defineTool } from "../../src/sandbox/tool.ts";
import * as rows from "../../src/store/approvals.ts";
import type { AuditEvent } from "../../src/store/audit.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { answers, call, scriptedLlm } from "../helpers/scripted-llm.ts";

const ran: string[] = [];

/** Its pattern is the path; what begins with `!` has none. */
const put = defineTool({
  name: "put",
  description: "Puts.",
  needs: ["time"],
  effect: () => "changes",
  pattern: ({ path }) => (path.startsWith("!") ? undefined : path),
  input: v.object({ path: v.string(), content: v.optional(v.string(), "") }),
  async run({ path, content }) {
    ran.push(`${path}=${content}`);
    return "put";
  },
});

const operator = { name: "operator", scope: "operator" } as const;
const alice = { name: "alice", scope: "chat" } as const;
const inSession = (id: string, more: Partial<Turn> = {}) =>
  aTurn({ sessionId: id, principal: alice, ...more });

async function setUp(options: Partial<ApprovalOptions> = {}) {
  ran.length = 0;
  const store = await memoryStore();
  await store.write(async (tx) => {
    for (const id of ["s1", "s2"])
      await sessions.open(tx, { id, owner: "alice", channel: "websocket", now: 1 });
  });
  const audited: AuditEvent[] = [];
  const audit = { record: async (_: unknown, event: AuditEvent) => void audited.push(event) };
  const approvals = createApprovals(store, { timeoutMs: 60_000, audit, ...options });
  const sandbox = createSandbox({
    tools: [put],
    lend: { time: () => ({ now: () => 0 }) },
    timeoutMs: 5000,
    timeoutMaxMs: 5000,
  });

  /** Runs a turn with one call; `decide` answers what is asked, when something is. */
  async function turnOf(
    args: object,
    turn: Turn,
    decide?: (id: string) => Promise<unknown>,
    rules: AutonomyRules = { autonomy: "supervised", approvalTools: [] },
  ): Promise<TurnEvent[]> {
    const agent = createAgent({
      llm: scriptedLlm(...(turn.resumed ? [] : [answers("", [call("put", args)])]), answers("ok")),
      sandbox,
      approvals,
      rules,
      parallelCalls: 1,
      prompt: async () => "",
      maxSteps: 3,
      contextBytes: 100_000,
    });
    const events: TurnEvent[] = [];
    for await (const event of agent(turn)) {
      events.push(event);
      if (event.type === "approval") await decide?.(event.approvalId);
    }
    return events;
  }
  return { store, approvals, audited, turnOf };
}

const of = <Type extends TurnEvent["type"]>(events: readonly TurnEvent[], type: Type) =>
  events.find((event): event is Extract<TurnEvent, { type: Type }> => event.type === type);
const asked = (events: readonly TurnEvent[]) => of(events, "approval") !== undefined;

let made: Awaited<ReturnType<typeof setUp>>;
let store: Store;
const by =
  (who: typeof operator | typeof alice, decision: Decision) =>
  (id: string): Promise<unknown> =>
    made.approvals.decide(id, who, decision);
beforeEach(async () => {
  made = await setUp();
  ({ store } = made);
});

test("a decision once is about its call alone", async () => {
  await made.turnOf({ path: "a" }, inSession("s1"), by(alice, { approved: true }));
  expect(asked(await made.turnOf({ path: "a" }, inSession("s1"), by(alice, { approved: false })))).toBe(true);
  expect(ran).toEqual(["a="]);
});

test("a decision for the session lets calls of the same pattern run there, and says why they ran", async () => {
  const first = await made.turnOf(
    { path: "a", content: "1" },
    inSession("s1"),
    by(alice, { approved: true, scope: "session" }),
  );
  expect(of(first, "approval")).toMatchObject({ pattern: "a" });

  const second = await made.turnOf({ path: "a", content: "2" }, inSession("s1"));
  expect(asked(second)).toBe(false);
  expect(of(second, "tool_start")?.reason).toMatch(
    /^alice allowed put a for this session \(rul_[0-9a-f]{16}\)$/,
  );
  expect(ran).toEqual(["a=1", "a=2"]);

  const no = by(alice, { approved: false });
  expect(asked(await made.turnOf({ path: "b" }, inSession("s1"), no))).toBe(true);
  expect(asked(await made.turnOf({ path: "a" }, inSession("s2"), no))).toBe(true);
  expect(
    asked(
      await made.turnOf(
        { path: "a" },
        inSession("s1", { principal: operator }),
        by(operator, { approved: false }),
      ),
    ),
  ).toBe(true);
  expect(ran).toHaveLength(2);
});

test("a decision for ever holds in every session of who was asked, until it is revoked", async () => {
  await made.turnOf({ path: "a" }, inSession("s1"), by(operator, { approved: true, scope: "always" }));

  for (const turn of [
    inSession("s2"),
    aTurn({ principal: alice, request: { ...plainRequest, approver: "none" } }),
  ])
    expect(of(await made.turnOf({ path: "a" }, turn), "tool_start")?.reason).toContain(
      "operator allowed put a always",
    );
  expect(asked(await made.turnOf({ path: "a" }, aTurn(), by(operator, { approved: false })))).toBe(true);

  const [rule] = (await made.approvals.rules({ limit: 5 })).items;
  expect(rule).toMatchObject({ principal: "alice", toolName: "put", pattern: '"a"', approved: true });
  expect(await made.approvals.forget(rule?.id ?? "", operator)).toBe(true);
  expect(await made.approvals.forget(rule?.id ?? "", operator)).toBe(false);
  expect(asked(await made.turnOf({ path: "a" }, inSession("s2"), by(alice, { approved: false })))).toBe(true);
});

test("a tool that says no pattern is remembered with exactly its arguments", async () => {
  await made.turnOf(
    { path: "!a", content: "1" },
    inSession("s1"),
    by(alice, { approved: true, scope: "session" }),
  );
  const again = await made.turnOf({ content: "1", path: "!a" }, inSession("s1"));
  expect(of(again, "tool_start")?.reason).toContain("exactly this call of put");
  expect(
    asked(await made.turnOf({ path: "!a", content: "2" }, inSession("s1"), by(alice, { approved: false }))),
  ).toBe(true);
  expect(ran).toEqual(["!a=1", "!a=1"]);
});

test("a refusal that reaches further denies at once with its note, whatever else was allowed and however free the agent is", async () => {
  await made.turnOf({ path: "a" }, inSession("s1"), by(operator, { approved: true, scope: "always" }));
  const first = await made.turnOf(
    { path: "b" },
    inSession("s1"),
    by(alice, { approved: false, note: "mine", scope: "session" }),
  );
  expect(of(first, "tool_result")).toMatchObject({ resultStatus: "denied", reason: "denied" });
  const [allowed] = (await made.approvals.rules({ limit: 5 })).items.filter(({ approved }) => approved);
  await made.approvals.forget(allowed?.id ?? "", operator);
  await made.turnOf({ path: "a" }, inSession("s1"), by(alice, { approved: false, scope: "session" }));
  ran.length = 0;

  for (const autonomy of ["supervised", "full"] as const)
    for (const path of ["a", "b"]) {
      const events = await made.turnOf({ path }, inSession("s1"), undefined, { autonomy, approvalTools: [] });
      expect(asked(events)).toBe(false);
      expect(of(events, "tool_result")).toMatchObject({
        resultStatus: "denied",
        reason: "denied",
        text: expect.stringContaining("alice refused put"),
      });
    }
  expect(of(await made.turnOf({ path: "b" }, inSession("s1")), "tool_result")?.text).toContain(
    "They said: mine",
  );
  expect(ran).toEqual([]);
});

test("nothing that was allowed counts when the server is set to readonly", async () => {
  await made.turnOf({ path: "a" }, inSession("s1"), by(operator, { approved: true, scope: "always" }));
  const rules = { autonomy: "readonly", approvalTools: [] } as const;
  expect(
    of(await made.turnOf({ path: "a" }, inSession("s1"), undefined, rules), "tool_result"),
  ).toMatchObject({ reason: "readonly" });
  expect(ran).toEqual(["a="]);
});

test("decide refuses a scope that is not the caller's or cannot be kept, and leaves the question open", async () => {
  const ask = (turn: Turn, pattern?: string) =>
    made.approvals.ask(turn, {
      callId: "c",
      toolName: "put",
      argumentsJson: "{}",
      reason: "r",
      ...(pattern && { pattern }),
    });
  const kept = await ask(inSession("s1"), '"a"');
  const decide = (id: string, who: typeof alice | typeof operator, scope: "session" | "always") =>
    made.approvals.decide(id, who, { approved: true, scope });

  await expect(decide(kept.id, alice, "always")).rejects.toMatchObject({ code: "forbidden" });
  await expect(decide((await ask(aTurn(), '"a"')).id, operator, "session")).rejects.toThrow(
    "belongs to no session",
  );
  await expect(decide((await ask(inSession("s1"))).id, alice, "session")).rejects.toThrow("not remembered");
  // Whose it is comes first: nothing is told to somebody else.
  const bob = { name: "bob", scope: "chat" } as const;
  expect(await made.approvals.decide(kept.id, bob, { approved: true, scope: "always" })).toBe("not_yours");
  expect((await made.approvals.pending(operator)).map(({ id }) => id)).toContain(kept.id);
  expect((await made.approvals.rules({ limit: 5 })).items).toEqual([]);
  expect(await decide(kept.id, alice, "session")).toBe("recorded");
  expect(await decide(kept.id, alice, "session")).toBe("unknown");
  expect((await made.approvals.rules({ limit: 5 })).items).toHaveLength(1);
});

test("decide lets of two decisions at once only one be recorded and remembered", async () => {
  const { id } = await made.approvals.ask(inSession("s1"), {
    callId: "c",
    toolName: "put",
    argumentsJson: "{}",
    pattern: '"a"',
    reason: "r",
  });
  const verdicts = await Promise.all(
    [true, false, true, false].map((approved) =>
      made.approvals.decide(id, alice, { approved, scope: "session" }),
    ),
  );
  expect(verdicts.filter((verdict) => verdict === "recorded")).toHaveLength(1);
  const { items } = await made.approvals.rules({ limit: 5 });
  expect(items).toHaveLength(1);
  const row = await store.read((tx) => rows.find(tx, id));
  expect(row?.state).toBe(items[0]?.approved ? "approved" : "denied");
});

test("every question, decision and revocation is told to the audit trail with its commit", async () => {
  await made.turnOf(
    { path: "a" },
    inSession("s1"),
    by(operator, { approved: true, scope: "always", note: "go" }),
  );
  const [rule] = (await made.approvals.rules({ limit: 1 })).items;
  await made.approvals.forget(rule?.id ?? "", operator);
  expect(made.audited).toMatchObject([
    { kind: "approval", principal: "alice", outcome: "requested", tool: "put", sessionId: "s1" },
    { principal: "operator", outcome: "approved", detail: { scope: "always", note: "go", rule: rule?.id } },
    { principal: "operator", outcome: "revoked", detail: { rule: rule?.id } },
  ]);
});

/** A turn that an earlier process left while its call had no result. */
const left = (args: object) =>
  inSession("s1", {
    resumed: true,
    entries: [
      userMessage("hello"),
      assistantMessage("", [{ id: "c1", name: "put", arguments: JSON.stringify(args) }]),
    ],
  });

test("a turn that goes on asks anew when the arguments are not those that were asked about", async () => {
  const first = await made.approvals.ask(inSession("s1"), {
    callId: "c1",
    toolName: "put",
    argumentsJson: '{"path":"a","content":"1"}',
    pattern: '"a"',
    reason: "r",
  });
  for (const state of ["pending", "approved"] as const) {
    if (state === "approved")
      await store.write((tx) => tx`UPDATE approvals SET state = 'approved' WHERE call_id = 'c1'`);
    ran.length = 0;
    const events = await made.turnOf(
      {},
      left({ path: "a", content: "other" }),
      by(alice, { approved: true }),
    );
    expect(of(events, "approval")).toMatchObject({
      approvalId: expect.not.stringMatching(first.id),
      reason: expect.stringContaining("not those that were asked about before"),
    });
    expect(ran).toEqual(["a=other"]);
    await store.write((tx) => tx`DELETE FROM approvals WHERE id <> ${first.id}`);
  }
  expect(made.audited.map(({ outcome }) => outcome)).toContain("withdrawn");
});

test("a turn that goes on waits for its question, runs no call twice and trusts no rule for one that may have run", async () => {
  const argumentsJson = '{"path":"a","content":""}';
  const { id } = await made.approvals.ask(inSession("s1"), {
    callId: "c1",
    toolName: "put",
    argumentsJson,
    pattern: '"a"',
    reason: "r",
  });
  const events = await made.turnOf({}, left({ path: "a" }), by(alice, { approved: true, scope: "session" }));
  expect(of(events, "approval")).toMatchObject({ approvalId: id, pattern: "a" });
  expect(ran).toEqual(["a="]);
  expect(of(await made.turnOf({}, left({ path: "a" })), "tool_result")).toMatchObject({
    reason: "unknown_outcome",
  });
  await store.write((tx) => tx`DELETE FROM approvals`);
  expect(of(await made.turnOf({}, left({ path: "a" })), "tool_result")).toMatchObject({
    reason: "unknown_outcome",
  });
  expect(ran).toEqual(["a="]);
});

test("a call that was approved while no process was there to run it runs once", async () => {
  const argumentsJson = '{"path":"a","content":""}';
  const { id } = await made.approvals.ask(inSession("s1"), {
    callId: "c1",
    toolName: "put",
    argumentsJson,
    reason: "r",
  });
  await made.approvals.decide(id, alice, { approved: true });
  const events = await made.turnOf({}, left({ path: "a" }));
  expect(asked(events)).toBe(false);
  expect(of(events, "tool_result")).toMatchObject({ resultStatus: "ok" });
  expect(of(await made.turnOf({}, left({ path: "a" })), "tool_result")).toMatchObject({
    reason: "unknown_outcome",
  });
  expect(ran).toEqual(["a="]);
});

test("/approve takes a scope or a note, and /reset ends what was decided for the session", async () => {
  const commands = sessionCommands({
    store,
    models: { list: async () => [], check: async () => {} },
    approvals: made.approvals,
    stop: async () => false,
  });
  const run = async (name: string, args: string, turn: Turn) =>
    String(await commands.find((each) => each.name === name)?.run(args, turn));
  const ask = async () =>
    (
      await made.approvals.ask(inSession("s1"), {
        callId: "c",
        toolName: "put",
        argumentsJson: "{}",
        pattern: '"a"',
        reason: "r",
      })
    ).id;

  const first = await ask();
  expect(await run("approve", `${first} yes session`, inSession("s1"))).toBe(
    `Tool approval recorded: ${first} = approved`,
  );
  await expect(run("approve", `${await ask()} yes always`, inSession("s1"))).rejects.toMatchObject({
    code: "forbidden",
  });
  const third = await ask();
  expect(await run("approve", `${third} NO Always`, aTurn({ sessionId: "s1" }))).toBe(
    `Tool approval recorded: ${third} = denied`,
  );
  const fourth = await ask();
  await run("approve", `${fourth} no always use tabs`, inSession("s1"));
  expect(await store.read((tx) => rows.find(tx, fourth))).toMatchObject({ note: "always use tabs" });
  const rules = async () =>
    (await made.approvals.rules({ limit: 9 })).items.map(({ sessionId, approved }) => ({
      sessionId,
      approved,
    }));
  expect(await rules()).toContainEqual({ sessionId: "s1", approved: true });
  expect(await rules()).toHaveLength(2);

  await run("reset", "", inSession("s1"));
  expect(await rules()).toEqual([{ sessionId: undefined, approved: false }]);
  expect(await run("approve", "x perhaps", inSession("s1"))).toBe(
    "Usage: /approve <id> yes|no [session|always]",
  );
});
