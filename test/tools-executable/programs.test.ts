import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { argumentsOf, startedBy } from "../attacks/machine.ts";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { type HeardResult, pleaseCall } from "../helpers/tool-run.ts";
import { until } from "../helpers/until.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

let at: ToolWorkspace;
let overTime: Promise<HeardResult>;
beforeAll(async () => {
  at = await startToolWorkspace();
  // Begun here, beside the other tests: only a time-out of some seconds is sure to come after the word of the command.
  const line = "setsid sleep 604801 & (sleep 604801 &) & echo started; sleep 604801";
  overTime = at.call("shell", { command: line, timeout_seconds: 4 });
  // It is looked at in its test.
  overTime.catch(() => undefined);
});
afterAll(() => at?.[Symbol.asyncDispose]());

/** Processes of this server whose arguments hold a word. */
const running = (word: string) =>
  startedBy(at.server.pid, [at.work]).filter((pid) => argumentsOf(pid).includes(word));

test("shell runs a command in the workspace on the executable, with both streams and the exit code", async () => {
  const ran = await at.call("shell", { command: "pwd; echo oops >&2; id -u; exit 3" });
  expect(ran.status).toBe("ok");
  expect(ran.text).toContain("[Exit code 3]");
  // Two streams have no common order.
  for (const line of [at.work, "oops"]) expect(ran.text).toContain(`${line}\n`);
  if (process.getuid?.() === 0) expect(ran.text).toContain("\n10001\n");
});

test("shell shows what is printed while the command still runs on the executable", async () => {
  using client = await connectEnvelopes(at.server.url, at.token);
  const command = "echo before; while [ ! -e go ]; do sleep 0.02; done; echo after";
  client.send({
    type: "user_message",
    messageId: "streams",
    text: pleaseCall([{ name: "shell", arguments: { command } }]),
  });
  expect(await client.next("tool_chunk")).toMatchObject({ text: "before\n" });
  at.put("go", "");
  expect(await client.next("tool_result")).toMatchObject({ text: "before\nafter\n[Exit code 0]" });
});

test("shell ends with the turn that is stopped on the executable", async () => {
  using client = await connectEnvelopes(at.server.url, at.token);
  const text = pleaseCall([{ name: "shell", arguments: { command: "echo up; sleep 604802" } }]);
  client.send({ type: "user_message", messageId: "stopped", sessionId: "stopped", text });
  await client.next("tool_chunk");
  client.send({ type: "user_message", messageId: "stop", sessionId: "stopped", text: "/stop" });
  await client.next("typing_stop");
  // Its processes are ended behind the turn's end.
  await until("nothing of the command runs", () => running("604802").length === 0);
});

test("shell is given nothing of the server's environment on the executable, and cannot see outside", async () => {
  const command = "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; ls .. ; cat ../outside/x";
  const { text } = await at.call("shell", { command });
  expect(text).not.toContain("MODEL_PROVIDER_KEY");
  expect(text).not.toContain("the-tests-own-token");
  expect(text).not.toContain("outside\n");
});

test.each([
  ["javascript", "console.log('said'); 6 * 7", "said\n=> 42"],
  ["python", "print(6 * 7)", "42\n[Exit code 0]"],
  ["bash", "echo $((6 * 7))", "42\n[Exit code 0]"],
  ["node", "console.log(6 * 7)", "42\n[Exit code 0]"],
])("code_exec runs %s on the executable", async (language, code, text) => {
  expect(await at.call("code_exec", { language, code })).toMatchObject({ status: "ok", text });
});

test("code_exec stops an endless loop of javascript on the executable, and the next call is answered", async () => {
  const [loop, next] = [
    await at.call("code_exec", { language: "javascript", code: "for(;;);", timeout_seconds: 1 }),
    await at.call("code_exec", { language: "javascript", code: "typeof process + typeof fetch" }),
  ];
  expect(loop.status).toBe("timeout");
  expect(next).toMatchObject({ status: "ok", text: expect.stringContaining("undefinedundefined") });
});

test("shell runs only what the allow list names, without sh, on the executable", async () => {
  await using strict = await startToolWorkspace({
    env: { OPENCLAW_ALLOWED_SHELL_COMMANDS: "echo,wc -c,ls", OPENCLAW_ALLOW_CODE: "javascript" },
  });
  const shell = (command: string) => strict.call("shell", { command });
  expect(await shell("echo 'a b' | wc -c")).toMatchObject({ status: "ok", text: "4\n[Exit code 0]" });
  for (const command of [
    "cat x",
    "echo $HOME",
    "echo x > y",
    "echo `id`",
    "ls; id",
    "A=1 ls",
    "wc -l",
    "ls &",
  ])
    expect(await shell(command)).toMatchObject({ status: "denied", reason: "not_granted" });
  expect(readdirSync(strict.work)).toEqual([]);
  const python = await strict.call("code_exec", { language: "python", code: "print(1)" });
  expect(python).toMatchObject({ status: "denied", reason: "not_granted" });
});

test("shell ends the whole tree at the time-out on the executable", async () => {
  const ran = await overTime;
  expect(ran).toMatchObject({ status: "timeout", chunks: "started\n" });
  expect(ran.text).toContain("started");
  // Where that takes long, it is behind the answer.
  await until("nothing of the command runs", () => running("604801").length === 0);
});
