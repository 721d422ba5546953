import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { type AskedCall, pleaseCall } from "../helpers/tool-run.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

let at: ToolWorkspace;
beforeAll(async () => {
  at = await startToolWorkspace({ env: { OPENCLAW_AUTONOMY: "supervised" } });
});
afterAll(() => at?.[Symbol.asyncDispose]());

/** How a call ends, with the reason that was asked by, if anybody was. */
async function decide(call: AskedCall, approved: boolean) {
  using client = await connectEnvelopes(at.server.url, at.token);
  client.send({ type: "user_message", messageId: Bun.randomUUIDv7(), text: pleaseCall([call]) });
  const first = await client.next(["tool_approval_required", "typing_stop"]);
  if (first.type === "tool_approval_required") {
    client.send({ type: "tool_approval_decision", approvalId: first["approvalId"], approved });
    await client.next("typing_stop");
  }
  const result = client.heard.find(({ type }) => type === "tool_result");
  return { asked: first.type === "tool_approval_required", status: result?.["resultStatus"] };
}

test.each<[string, AskedCall]>([
  ["reads a file", { name: "read_file", arguments: { path: "there" } }],
  ["computes", { name: "code_exec", arguments: { language: "javascript", code: "1" } }],
  ["looks at a repository", { name: "git", arguments: { subcommand: "status" } }],
])("under supervised nobody is asked on the executable before what only %s", async (_what, call) => {
  at.put("there", "x");
  expect(await decide(call, false)).toMatchObject({ asked: false });
});

test.each<[string, AskedCall, string]>([
  ["changes a file", { name: "write_file", arguments: { path: "w", content: "x" } }, "w"],
  ["runs a command", { name: "shell", arguments: { command: "touch s" } }, "s"],
  ["runs a program", { name: "code_exec", arguments: { language: "bash", code: "touch c" } }, "c"],
  ["changes a repository", { name: "git", arguments: { subcommand: "clone", args: ["./w", "g"] } }, "g"],
])(
  "under supervised what %s asks on the executable, and is not done when denied",
  async (_what, call, file) => {
    expect(await decide(call, false)).toEqual({ asked: true, status: "denied" });
    expect(existsSync(join(at.work, file))).toBe(false);
  },
);

test("under supervised what is approved is done on the executable", async () => {
  const write: AskedCall = { name: "write_file", arguments: { path: "yes", content: "x" } };
  expect(await decide(write, true)).toEqual({ asked: true, status: "ok" });
  const run: AskedCall = { name: "shell", arguments: { command: "cat yes > again" } };
  expect(await decide(run, true)).toEqual({ asked: true, status: "ok" });
  expect(at.read("again")).toBe("x");
});

test("under readonly whatever does more than read is refused on the executable", async () => {
  await using readonly = await startToolWorkspace({ env: { OPENCLAW_AUTONOMY: "readonly" } });
  const results = await readonly.run([
    { name: "write_file", arguments: { path: "w", content: "x" } },
    { name: "shell", arguments: { command: "touch s" } },
    { name: "email", arguments: { to: "bob@example.com", subject: "x", body: "x" } },
    { name: "list_files", arguments: {} },
  ]);
  expect(Object.fromEntries(results.map(({ name, reason, status }) => [name, reason ?? status]))).toEqual({
    write_file: "readonly",
    shell: "readonly",
    email: "readonly",
    list_files: "ok",
  });
  expect(existsSync(join(readonly.work, "s"))).toBe(false);
});
