import { expect, test } from "bun:test";
import { type AgentParts, createAgent } from "../../src/agent/loop.ts";
import { createApprovals } from "../../src/agent/approvals.ts";
import { plainRequest, type TurnEvent } from "../../src/agent/turn.ts";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { defineTool } from "../../src/sandbox/tool.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as v from "valibot";
import { aTurn } from "../helpers/a-turn.ts";
import { answers, call, scriptedLlm } from "../helpers/scripted-llm.ts";

const log: string[] = [];

const look = defineTool({
  name: "look",
  description: "Looks.",
  needs: ["time"],
  effect: () => "reads",
  input: v.object({ at: v.optional(v.string(), "it") }),
  async run({ at }) {
    log.push(`look ${at}`);
    return `saw ${at}`;
  },
});

const change = defineTool({
  name: "change",
  description: "Changes.",
  needs: ["time"],
  effect: () => "changes",
  input: v.object({}),
  async run() {
    log.push("change");
    return "changed";
  },
});

async function parts(llm: AgentParts["llm"], over: Partial<AgentParts> = {}) {
  log.length = 0;
  const store = await memoryStore();
  const approvals = createApprovals(store, { timeoutMs: 60_000 });
  const sandbox = createSandbox({
    tools: [look, change],
    lend: { time: () => ({ now: () => 0 }) },
    timeoutMs: 5000,
    timeoutMaxMs: 5000,
  });
  const made: AgentParts = {
    llm,
    sandbox,
    approvals,
    rules: { autonomy: "supervised", approvalTools: [] },
    parallelCalls: 4,
    prompt: async () => "You are a test.",
    maxSteps: 3,
    contextBytes: 100_000,
    ...over,
  };
  return { approvals, agent: createAgent(made) };
}

const kinds = (events: readonly TurnEvent[]) =>
  events.map((event) => event.type).filter((type) => type !== "status");

test("runAgent streams an answer and ends with its usage", async () => {
  const { agent } = await parts(scriptedLlm(answers("hello there")));

  const events = await Array.fromAsync(agent(aTurn()));

  expect(kinds(events)).toEqual(["text", "message", "done"]);
  expect(events.at(-1)).toMatchObject({ finishReason: "stop", usage: { inputTokens: 10, outputTokens: 5 } });
});

test("runAgent runs the tools that the model asks for and asks it again with their results in order", async () => {
  const llm = scriptedLlm(
    answers("", [call("look", { at: "a" }, "1"), call("look", { at: "b" }, "2")]),
    answers("both seen"),
  );
  const { agent } = await parts(llm);

  const events = await Array.fromAsync(agent(aTurn()));

  expect(events.at(-1)).toMatchObject({ type: "done", usage: { inputTokens: 20 } });
  const sent = llm.requests[1]?.messages.map((message) => JSON.parse(message.json)) ?? [];
  expect(sent.map((message) => message.role)).toEqual(["system", "user", "assistant", "tool", "tool"]);
  expect(sent.slice(3).map((message) => message.content)).toEqual(["saw a", "saw b"]);
});

test("runAgent asks before a call that changes something, and runs it when it is approved", async () => {
  const llm = scriptedLlm(answers("", [call("change")]), answers("done"));
  const { agent, approvals } = await parts(llm);
  const turn = aTurn();
  const events: TurnEvent[] = [];

  for await (const event of agent(turn)) {
    events.push(event);
    if (event.type === "approval") {
      expect(log).toEqual([]);
      expect(await approvals.decide(event.approvalId, turn.principal, { approved: true })).toBe("recorded");
    }
  }

  expect(kinds(events)).toEqual([
    "message",
    "approval",
    "tool_start",
    "tool_result",
    "text",
    "message",
    "done",
  ]);
  expect(log).toEqual(["change"]);
});

test("runAgent tells the model that a person denied a call, with their note", async () => {
  const llm = scriptedLlm(answers("", [call("change")]), answers("ok"));
  const { agent, approvals } = await parts(llm);
  const turn = aTurn();

  for await (const event of agent(turn)) {
    if (event.type === "approval")
      await approvals.decide(event.approvalId, turn.principal, { approved: false, note: "not today" });
  }

  expect(log).toEqual([]);
  expect(llm.requests[1]?.messages.at(-1)?.json).toContain("not today");
});

test("runAgent denies a call at once where there is nobody to ask", async () => {
  const llm = scriptedLlm(answers("", [call("change")]), answers("ok"));
  const { agent } = await parts(llm);

  const events = await Array.fromAsync(agent(aTurn({ request: { ...plainRequest, approver: "none" } })));

  expect(events.find((event) => event.type === "tool_result")).toMatchObject({
    resultStatus: "denied",
    reason: "no_approver",
  });
  expect(log).toEqual([]);
});

test("runAgent gives the model a result for a tool that does not exist and for arguments that do not fit", async () => {
  const llm = scriptedLlm(
    answers("", [
      call("fly", {}, "1"),
      call("look", { at: 7 }, "2"),
      { ...call("look", {}, "3"), problem: "no JSON" },
    ]),
    answers("sorry"),
  );
  const { agent } = await parts(llm);

  const events = await Array.fromAsync(agent(aTurn()));

  const results = events.filter((event) => event.type === "tool_result");
  expect(results.map((result) => result.resultStatus)).toEqual(["error", "error", "error"]);
  expect(events.at(-1)?.type).toBe("done");
});

test("runAgent ends a turn that asks for tools without end", async () => {
  const again = () => answers("", [call("look")]);
  const { agent } = await parts(scriptedLlm(again(), again(), again(), again()));

  await expect(Array.fromAsync(agent(aTurn()))).rejects.toMatchObject({ code: "step_limit" });
});

test("runAgent gives calls of the client's tools back to the client, after running its own", async () => {
  const clientTools = [{ name: "theirs", json: '{"type":"function","function":{"name":"theirs"}}' }];
  const llm = scriptedLlm(answers("", [call("theirs"), call("look")]));
  const { agent } = await parts(llm);

  const events = await Array.fromAsync(agent(aTurn({ request: { ...plainRequest, clientTools } })));

  expect(log).toEqual(["look it"]);
  expect(events.at(-1)).toMatchObject({
    type: "done",
    finishReason: "tool_calls",
    clientCalls: [{ name: "theirs" }],
  });
});

test("runAgent offers the client's tool where one of ours has its name", async () => {
  const clientTools = [{ name: "look", json: '{"mine":true}' }];
  const llm = scriptedLlm(answers("hi"));
  const { agent } = await parts(llm);

  await Array.fromAsync(agent(aTurn({ request: { ...plainRequest, clientTools } })));

  expect(llm.requests[0]?.tools.map((tool) => tool.name)).toEqual(["change", "look"]);
  expect(llm.requests[0]?.tools.at(-1)?.json).toBe('{"mine":true}');
});

test("runAgent runs no call of a turn whose tools are off, and gives none to the client", async () => {
  const clientTools = [{ name: "theirs", json: '{"type":"function","function":{"name":"theirs"}}' }];
  const llm = scriptedLlm(
    answers("", [call("look", {}, "1"), call("theirs", {}, "2")]),
    answers("I do without"),
  );
  const { agent } = await parts(llm);

  const request = { ...plainRequest, clientTools, toolsOn: false };
  const events = await Array.fromAsync(agent(aTurn({ request })));

  expect(log).toEqual([]);
  expect(llm.requests.map(({ tools }) => tools)).toEqual([[], []]);
  const results = events.filter((event) => event.type === "tool_result");
  expect(results).toMatchObject([
    { toolName: "look", resultStatus: "denied" },
    { toolName: "theirs", resultStatus: "denied" },
  ]);
  expect(events.at(-1)).toMatchObject({ type: "done", finishReason: "stop", clientCalls: [] });
});

test("runAgent goes on with the calls of an earlier process: reads again, and does not repeat a change that may have run", async () => {
  const llm = scriptedLlm(answers("went on"));
  const { agent } = await parts(llm, { rules: { autonomy: "full", approvalTools: [] } });
  const entries = [userMessage("hi"), assistantMessage("", [call("look"), call("change")])];

  const events = await Array.fromAsync(agent(aTurn({ entries, resumed: true })));

  expect(log).toEqual(["look it"]);
  const results = events.filter((event) => event.type === "tool_result");
  expect(results.find((result) => result.toolName === "change")).toMatchObject({
    resultStatus: "error",
    reason: "unknown_outcome",
  });
  expect(events.at(-1)?.type).toBe("done");
});

test("runAgent ends as cancelled, and with it the tool that runs", async () => {
  const controller = new AbortController();
  const llm = scriptedLlm(answers("", [call("change")]));
  const { agent } = await parts(llm);
  const pulled = (async () => {
    for await (const event of agent(aTurn({ signal: controller.signal }))) {
      if (event.type === "approval") controller.abort();
    }
  })();

  await expect(pulled).rejects.toMatchObject({ code: "cancelled" });
  expect(log).toEqual([]);
});
