import { expect, test } from "bun:test";
import { recorded } from "../../src/agent/call-audit.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import { plainRequest, type RunTurn, type TurnEvent } from "../../src/agent/turn.ts";
import { assistantMessage, noUsage, type ToolCall, toolMessage } from "../../src/llm/message.ts";
import type { AuditEvent } from "../../src/store/audit.ts";
import { list } from "../../src/store/audit-list.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { memoryStore } from "../../src/store/open.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { endsTurn } from "../../src/turns/turns.ts";
import { aTurn } from "../helpers/a-turn.ts";

const call = (id: string): ToolCall => ({ id, name: "shell", arguments: `{"command":"sleep ${id}"}` });
const asked = (...calls: ToolCall[]): TurnEvent => ({
  type: "message",
  message: assistantMessage("", calls),
  usage: noUsage,
  model: "m",
});
const start = (callId: string): TurnEvent => ({
  type: "tool_start",
  callId,
  toolName: "shell",
  argumentsPreview: "{}",
});
const result = (callId: string): TurnEvent => ({
  type: "tool_result",
  callId,
  toolName: "shell",
  text: "what it said",
  resultStatus: "ok",
  durationMs: 4,
  lent: ["shell"],
  grant: "operator allowed shell always",
  message: toolMessage(callId, "what it said"),
});
const inShort = ({ callId, outcome }: Pick<AuditEvent, "callId" | "outcome">) => `${callId} ${outcome}`;

async function recordedBy(run: RunTurn) {
  const store = await memoryStore();
  const audit = createAuditTrail({ chain: "c1" });
  const ends = createTurnEnds(store);
  const turns = createTurns({
    store,
    run,
    ends,
    audit,
    commands: [],
    maxTurns: 10,
    maxWaitingPerSession: 2,
  });
  const principal = { name: "alice", scope: "chat" } as const;
  const ended = Promise.withResolvers<void>();
  const told: object[] = [];
  await turns.accept(
    { sessionId: "s", principal, channel: "websocket", text: "go", request: plainRequest },
    ({ event }) => {
      told.push(event);
      if (endsTurn(event)) ended.resolve();
    },
  );
  await ended.promise;
  const rows = (await list(store.read, { limit: 50 })).items.toReversed();
  await turns.drain(0);
  await store.close();
  return { rows, told };
}

test("runTurn writes a call's start and its end with the commits of the step, and tells clients neither", async () => {
  const { rows, told } = await recordedBy(async function* run() {
    yield asked(call("a"), call("b"));
    yield start("a");
    yield result("a");
    yield start("b");
    yield result("b");
    yield { type: "notice", text: "over" };
  });
  expect(rows.map(inShort)).toEqual(["a requested", "b requested", "a ok", "b ok"]);
  expect(rows[0]).toMatchObject({ principal: "alice", sessionId: "s", tool: "shell", kind: "call" });
  expect(JSON.parse(rows[2]?.detail ?? "")).toEqual({
    durationMs: 4,
    lent: ["shell"],
    grant: "operator allowed shell always",
  });
  expect(JSON.stringify(told)).not.toMatch(/lent|grant/);
});

test("runTurn writes which calls the end of their turn cut off", async () => {
  const { rows } = await recordedBy(async function* run() {
    yield asked(call("a"), call("b"));
    yield start("a");
    yield start("b");
    yield result("b");
    throw new Error("lost");
  });
  expect(rows.map(inShort)).toEqual(["a requested", "b requested", "b ok", "a cut_off"]);
});

test("recorded writes the same for a turn without a session, also when its client goes away", async () => {
  const events: AuditEvent[] = [];
  const record = async (more: readonly AuditEvent[]) => void events.push(...more);
  async function* step(): AsyncIterable<TurnEvent> {
    yield start("a");
    yield result("a");
    yield start("b");
    yield result("b");
  }
  const turn = aTurn({ request: { ...plainRequest, clientTools: [{ name: "theirs", json: "{}" }] } });
  const calls = [call("a"), call("b"), { ...call("c"), name: "theirs" }];
  for await (const event of recorded(turn, calls.slice(0, 2), step(), record))
    if (event.type === "tool_result") break;
  expect(events.map(inShort)).toEqual(["a requested", "b requested", "a ok", "b cut_off"]);

  events.length = 0;
  const failing = async () => {
    throw new Error("The disk is full.");
  };
  // What cannot be written down is not begun.
  let begun = false;
  async function* tells(): AsyncIterable<TurnEvent> {
    begun = true;
    yield start("a");
  }
  await expect(Array.fromAsync(recorded(turn, calls, tells(), failing))).rejects.toThrow("disk is full");
  expect(begun).toBe(false);
});
