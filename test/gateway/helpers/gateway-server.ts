import { createTurnEnds } from "../../../src/agent/turn-ends.ts";
import { createApprovals } from "../../../src/agent/approvals.ts";
import type { Command } from "../../../src/agent/commands.ts";
import type { RunTurn } from "../../../src/agent/turn.ts";
import { AppError } from "../../../src/errors.ts";
import { createGateway } from "../../../src/gateway/gateway.ts";
import type { GatewayParts, GatewaySettings } from "../../../src/gateway/parts.ts";
import type { Models } from "../../../src/llm/llm.ts";
import { memoryStore } from "../../../src/store/open.ts";
import { createTurns } from "../../../src/turns/create-turns.ts";
import { echo } from "./runs.ts";

export const operatorToken = "operator-token-for-tests";
export const aliceToken = "alice-token-for-tests-01";
export const bobToken = "bob-token-for-tests-0001";

export const settings: GatewaySettings = {
  bindAddress: "127.0.0.1",
  port: 0,
  authToken: operatorToken,
  clientTokens: [
    { name: "alice", token: aliceToken },
    { name: "bob", token: bobToken },
  ],
  allowedOrigins: [],
  trustedProxies: [],
  allowQueryToken: false,
  maxBodyBytes: 64 * 1024,
  maxConnections: 100,
  messagesPerMinute: 0,
  sendBufferBytes: 256 * 1024,
};

/** No token is set: whoever is on this machine is the operator. */
export const openSettings: GatewaySettings = { ...settings, authToken: undefined, clientTokens: [] };

const models: Models = {
  list: async () => [
    { id: "small", provider: "test" },
    { id: "maker/large", provider: "test" },
  ],
  async check(id) {
    if (id === "small" || id === "maker/large") return;
    throw new AppError("model_not_found", `There is no model ${id}: small, maker/large.`, { param: "model" });
  },
};

export interface GatewayOptions {
  readonly settings?: Partial<GatewaySettings>;
  readonly run?: RunTurn;
  readonly commands?: readonly Command[];
  /** Parts that the gateway gets in place of these. */
  readonly instead?: (parts: GatewayParts) => Partial<GatewayParts>;
}

/** A gateway that listens on a free port, over a store in memory; `run` stands for the pipeline. */
export async function startGateway(options: GatewayOptions = {}) {
  const store = await memoryStore();
  const run = options.run ?? echo;
  const turns = createTurns({
    store,
    run,
    ends: createTurnEnds(store),
    commands: options.commands ?? [],
    maxTurns: 100,
    maxWaitingPerSession: 5,
  });
  const approvals = createApprovals(store, { timeoutMs: 60_000 });
  const made: GatewayParts = {
    settings: { ...settings, ...options.settings },
    version: "0.0.0-test",
    startedAt: Date.now(),
    store,
    turns,
    run,
    approvals,
    models,
    tools: [
      { name: "time", description: "Tells the time.", needs: ["time"], inputSchema: { type: "object" } },
    ],
    status: () => ({ model: "small", provider: "test" }),
  };
  const parts = { ...made, ...options.instead?.(made) };
  const gateway = createGateway(parts);
  const listening = gateway.serve();
  const { url, port } = listening;

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    ...parts,
    gateway,
    stop: listening.stop,
    url,
    port,
    /** Asks as the operator, unless `token` says otherwise; null sends none. */
    ask(path: string, init: RequestInit & { token?: string | null } = {}) {
      const { token = operatorToken, headers, ...rest } = init;
      return fetch(`${url}${path}`, {
        redirect: "manual",
        ...rest,
        headers: { ...(token === null ? {} : bearer(token)), ...(headers as object) },
      });
    },
    /** Sends JSON. */
    post(
      path: string,
      body: unknown,
      {
        method = "POST",
        token = operatorToken,
        headers = {},
      }: { method?: string; token?: string | null; headers?: Record<string, string> } = {},
    ) {
      return this.ask(path, {
        method,
        token,
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([listening.stop(2000), turns.drain(0)]);
      await store.close();
    },
  };
}

export type TestGateway = Awaited<ReturnType<typeof startGateway>>;
