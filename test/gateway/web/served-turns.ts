import { type Approvals, createApprovals } from "../../../src/agent/approvals.ts";
import type { Command } from "../../../src/agent/commands.ts";
import type { Turn, TurnEvent } from "../../../src/agent/turn.ts";
import { createTurnEnds } from "../../../src/agent/turn-ends.ts";
import { createGateway } from "../../../src/gateway/gateway.ts";
import { assistantMessage, noUsage, toolMessage } from "../../../src/llm/message.ts";
import { commands as answerCommands } from "../../../src/middleware/commands.ts";
import { oneAtATime } from "../../../src/middleware/one-at-a-time.ts";
import { memoryStore } from "../../../src/store/open.ts";
import { createTurns } from "../../../src/turns/create-turns.ts";

export type Script = (turn: Turn, approvals: Approvals) => AsyncIterable<TurnEvent>;

export interface ServedTurns extends AsyncDisposable {
  readonly url: string;
  /** The texts of the turns that were run, in order. */
  readonly ran: readonly string[];
  /** Breaks every WebSocket, as a restarted proxy does. */
  breakConnections(): void;
}

/** The real gateway over real turns and a store in memory; only what a turn does is scripted. */
export async function serveTurns(
  script: Script,
  token?: string,
  commands: readonly Command[] = [],
): Promise<ServedTurns> {
  const store = await memoryStore();
  const approvals = createApprovals(store, { timeoutMs: 60_000 });
  const ran: string[] = [];
  const ends = createTurnEnds(store);
  const oneByOne = oneAtATime(store, ends);
  const atOnce = answerCommands(commands, "now");
  const inTurn = answerCommands(commands, "in_turn");
  const run = (turn: Turn) =>
    atOnce(turn, (waiting) =>
      oneByOne(waiting, (begun) => {
        ran.push(begun.text);
        return inTurn(begun, (asked) => script(asked, approvals));
      }),
    );
  const turns = createTurns({
    store,
    run,
    ends,
    commands,
    maxTurns: 10,
    maxWaitingPerSession: 10,
  });
  const gateway = createGateway({
    settings: {
      bindAddress: "127.0.0.1",
      port: 0,
      authToken: token,
      clientTokens: [],
      allowedOrigins: [],
      trustedProxies: [],
      allowQueryToken: false,
      maxBodyBytes: 64 * 1024,
      maxConnections: 100,
      messagesPerMinute: 0,
      sendBufferBytes: 1024 * 1024,
    },
    version: "0.0.0",
    startedAt: Date.now(),
    store,
    turns,
    run,
    approvals,
    models: { list: async () => [], check: async () => {} },
    tools: [],
    status: () => ({}),
  });
  const connected = new Set<Bun.ServerWebSocket<unknown>>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: gateway.fetch,
    websocket: {
      ...gateway.websocket,
      open(socket) {
        connected.add(socket);
        return gateway.websocket.open?.(socket);
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    ran,
    breakConnections() {
      for (const socket of connected) socket.terminate();
      connected.clear();
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await turns.drain(0);
      await store.close();
    },
  };
}

/** The words of an answer, one event each, with `gate` awaited before the word of each index. */
export async function* answer(
  text: string,
  gate: (index: number) => unknown = () => {},
): AsyncIterable<TurnEvent> {
  for (const [index, word] of text.split(/(?<=\s)/).entries()) {
    await gate(index);
    yield { type: "text", text: word };
  }
  yield { type: "message", message: assistantMessage(text), usage: noUsage, model: "scripted" };
  yield { type: "done", finishReason: "stop", usage: noUsage, model: "scripted", clientCalls: [] };
}

/** A call of a tool: what the model asks for, its start, what comes `before` its end, and its result. */
export async function* callTool(
  call: { id: string; name: string; args: object; output: string },
  before: () => AsyncIterable<TurnEvent>,
): AsyncIterable<TurnEvent> {
  const { id: callId, name: toolName, output: text } = call;
  const argumentsPreview = JSON.stringify(call.args);
  const asked = assistantMessage("", [{ id: callId, name: toolName, arguments: argumentsPreview }]);
  yield { type: "message", message: asked, usage: noUsage, model: "scripted" };
  yield { type: "tool_start", callId, toolName, argumentsPreview };
  yield* before();
  const result = { callId, toolName, text, resultStatus: "ok", durationMs: 1234 } as const;
  yield { type: "tool_result", ...result, message: toolMessage(callId, text) };
}
