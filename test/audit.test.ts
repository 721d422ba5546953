import { expect, test } from "bun:test";
import * as v from "valibot";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { type InProcess, operatorToken, startInProcess } from "./helpers/in-process.ts";
import { scriptedModel } from "./helpers/model-server.ts";

const Row = v.object({
  seq: v.number(),
  kind: v.string(),
  principal: v.string(),
  sessionId: v.optional(v.string()),
  turnId: v.optional(v.string()),
  callId: v.optional(v.string()),
  tool: v.optional(v.string()),
  outcome: v.string(),
  address: v.optional(v.string()),
  detail: v.record(v.string(), v.unknown()),
});
type Row = v.InferOutput<typeof Row>;

/** Oldest first. */
async function rowsOf(server: InProcess, query = ""): Promise<Row[]> {
  const answer = await (await server.ask(`/api/audit?limit=200${query}`)).json();
  return v.parse(v.object({ items: v.array(Row) }), answer).items.reverse();
}

const inShort = ({ kind, tool = "", outcome }: Row) => `${kind} ${tool} ${outcome}`;
const clientToken = "a-clients-own-token-0001";

const started = (model: { url: string }, env: Record<string, string> = {}) =>
  startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    MODEL_PROVIDER_KEY: "the-providers-own-key",
    OPENCLAW_CLIENT_TOKENS: `alice=${clientToken}`,
    OPENCLAW_AUTONOMY: "full",
    ...env,
  });

const callOnce = (...calls: { name: string; arguments: object }[]) =>
  scriptedModel((body) => (body.messages.at(-1)?.role === "tool" ? { text: "done" } : { calls }));

const say = (server: InProcess, session?: string) =>
  server.ask(
    "/v1/chat/completions",
    { messages: [{ role: "user", content: "go" }] },
    { headers: session === undefined ? {} : { "x-openclaw-session-id": session } },
  );

test("the audit trail has each call with its masked arguments, what it was lent and how it ended, in a session or without", async () => {
  const secret = {
    action: "write",
    key: "k",
    content: `password=hunter2 ${clientToken} the-providers-own-key`,
  };
  await using model = callOnce(
    { name: "time", arguments: {} },
    { name: "memory", arguments: secret },
    { name: "web_fetch", arguments: { url: "http://127.0.0.1/" } },
    { name: "time", arguments: { nonsense: 1 } },
  );
  await using server = await started(model);
  for (const session of ["s1", undefined]) {
    expect((await say(server, session)).status).toBe(200);
    const rows = (await rowsOf(server)).filter(
      (row) => row.turnId !== undefined && row.sessionId === session,
    );
    expect(rows.map(inShort).toSorted()).toEqual(
      [
        "call time requested",
        "call memory requested",
        "call web_fetch requested",
        "call time requested",
        "call time ok",
        "call memory ok",
        "refusal web_fetch denied",
        "call time error",
      ].toSorted(),
    );
    const of = (wanted: string) => rows.find((row) => inShort(row) === wanted);
    expect(of("call memory requested")?.detail["arguments"]).toContain('"action":"write"');
    expect(of("call memory ok")?.detail).toMatchObject({ lent: ["notes"], durationMs: expect.any(Number) });
    expect(of("refusal web_fetch denied")?.detail).toMatchObject({ reason: "not_granted" });
    expect(of("call time error")?.detail["text"]).toContain("nonsense");
    expect(rows[0]).toMatchObject({ principal: "operator", callId: "call_0" });
    expect(JSON.stringify(rows)).not.toMatch(/hunter2|a-clients-own-token|the-providers-own-key/);
    await server.ask(`/api/notes/k`, undefined, { method: "DELETE" });
  }
});

test("the audit trail has who came in, and wrong tokens as one row", async () => {
  await using model = callOnce();
  const server = await started(model);
  const wrong = () => fetch(`${server.url}/api/status`, { headers: { authorization: "Bearer wrong-token" } });
  for (let n = 0; n < 15; n++) expect([401, 429]).toContain((await wrong()).status);
  await server.ask("/auth/login", { token: clientToken });
  using client = await connectEnvelopes(server.url, operatorToken);
  await client.close();
  // A request with a bearer token is none.
  await server.ask("/api/status");
  const logins = (await rowsOf(server, "&kind=login")).map(({ principal, outcome, address, detail }) => ({
    principal,
    outcome,
    address,
    by: detail["by"],
  }));
  expect(logins).toEqual([
    { principal: "alice", outcome: "ok", address: "127.0.0.1", by: "cookie" },
    { principal: "operator", outcome: "ok", address: "127.0.0.1", by: "websocket" },
  ]);
  await server[Symbol.asyncDispose]();
});

test("audit.list is the operator's alone", async () => {
  await using model = callOnce();
  await using server = await started(model);
  const asAlice = { headers: { authorization: `Bearer ${clientToken}` } };
  expect((await fetch(`${server.url}/api/audit`, asAlice)).status).toBe(403);
  expect((await server.ask("/api/audit?kind=nonsense")).status).toBe(400);
  expect((await server.ask("/api/audit?since=yesterday")).status).toBe(400);
  expect((await rowsOf(server, "&since=2026-01-01&kind=server")).map(inShort)).toEqual(["server  started"]);
  expect(await rowsOf(server, "&since=2999-01-01T00:00:00Z")).toEqual([]);
});
