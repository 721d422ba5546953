import { createHmac } from "node:crypto";
import { expect, test } from "bun:test";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import type { Turn, TurnEvent } from "../../src/agent/turn.ts";
import { makeWebhooks } from "../../src/channels/webhooks.ts";
import { AppError, httpStatus } from "../../src/errors.ts";
import type { Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { forEachStore } from "../store/stores.ts";
import { noChannels } from "./provider.ts";

const secret = "a-webhook-secret";
const gitHubSign = (body: string | Uint8Array, key = secret) => ({
  "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
});

const rule = { prompt: "A deploy ended: {body}", signature: "github" } as const;

/** The routes over real turns, whose agent says nothing. */
async function made(store: Store, over: object = {}) {
  const clock = { now: 1_700_000_000_000 };
  const ran: Turn[] = [];
  async function* run(turn: Turn): AsyncIterable<TurnEvent> {
    ran.push(turn);
    yield { type: "notice", text: "ok" };
  }
  const now = () => clock.now;
  const turns = createTurns({
    store,
    run,
    ends: createTurnEnds(store),
    commands: [],
    maxTurns: 100,
    maxWaitingPerSession: 100,
    now,
  });
  const settings = {
    ...noChannels,
    webhooks: { deploys: rule },
    webhookSecrets: { deploys: [secret] },
    ...over,
  };
  const app = await makeWebhooks(settings, { store, accept: turns.accept, now });
  if (app === undefined) throw new Error("There are no webhooks.");
  app.onError(
    (error) =>
      new Response(error.message, { status: error instanceof AppError ? httpStatus[error.code] : 500 }),
  );
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: object = gitHubSign(body),
    name = "deploys",
  ) =>
    app.request(`/webhooks/${name}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  return { post, ran, clock, turns, drained: () => turns.drain(5000) };
}

forEachStore(
  "makeWebhooks accepts a signed request as a turn without an approver, and says why it runs",
  async (store) => {
    const delivery = { channel: "slack", recipient: "C1" };
    const it = await made(store, { webhooks: { deploys: { ...rule, agent: "ops", delivery } } });
    const answer = await it.post('{"ok":true}');
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ accepted: true });
    await it.drained();
    expect(it.ran).toHaveLength(1);
    expect(it.ran[0]).toMatchObject({
      sessionId: "webhook:deploys",
      principal: { name: "webhook:deploys", scope: "chat" },
      channel: "webhook",
      text: 'A deploy ended: <webhook name="deploys">\n{"ok":true}\n</webhook>',
      delivery,
      request: { approver: "none", agent: "ops", cause: { kind: "webhook", name: "deploys" } },
    });
  },
);

forEachStore("makeWebhooks runs a repeated request once, until it is long ago", async (store) => {
  const it = await made(store, {
    webhooks: { deploys: rule, others: rule },
    webhookSecrets: { deploys: [secret], others: [secret] },
  });
  const both = await Promise.all([it.post("tick"), it.post("tick")]);
  expect(both.map(({ status }) => status)).toEqual([202, 202]);
  expect(await (await it.post("tick")).json()).toEqual({ repeated: true });
  expect((await it.post("tick", gitHubSign("tick"), "others")).status).toBe(202);
  it.clock.now += 86_400_000 - 1;
  expect(await (await it.post("tick")).json()).toEqual({ repeated: true });
  it.clock.now += 1;
  expect(await (await it.post("tick")).json()).toEqual({ accepted: true });
  await it.drained();
  expect(it.ran.map(({ sessionId }) => sessionId).toSorted()).toEqual([
    "webhook:deploys",
    "webhook:deploys",
    "webhook:others",
  ]);
});

forEachStore("makeWebhooks remembers nothing that was not accepted", async (store) => {
  const it = await made(store);
  const headers = gitHubSign("tick");
  await it.turns.drain(0);
  expect((await it.post("tick", headers)).status).toBe(503);
  const again = await made(store);
  expect(await (await again.post("tick", headers)).json()).toEqual({ accepted: true });
  await again.drained();
});

forEachStore(
  "makeWebhooks takes nothing that is forged, unsigned, too large, no text or for a name that is not there",
  async (store) => {
    const it = await made(store, { webhooks: { deploys: rule, bare: rule } });
    const most = "x".repeat(128 * 1024);
    const notText = new Uint8Array([0xff, 0xfe]);
    const answers = [
      it.post("a", {}),
      it.post("a", gitHubSign("b")),
      it.post("a", gitHubSign("a", "another-secret")),
      it.post("a", gitHubSign("a"), "bare"),
      it.post("a", gitHubSign("a"), "none"),
      it.post("a", gitHubSign("a"), "constructor"),
      it.post(`${most}x`),
      it.post(notText),
    ];
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([
      401, 401, 401, 401, 404, 404, 413, 400,
    ]);
    expect((await it.post(most)).status).toBe(202);
    await it.drained();
    expect(it.ran).toHaveLength(1);
  },
);

forEachStore("makeWebhooks knows both secrets while one replaces the other", async (store) => {
  const it = await made(store, { webhookSecrets: { deploys: ["the-new-secret", secret] } });
  expect((await it.post("a", gitHubSign("a", "the-new-secret"))).status).toBe(202);
  expect((await it.post("b", gitHubSign("b", secret))).status).toBe(202);
  await it.drained();
});

forEachStore("makeWebhooks knows a time-stamped request again that is signed anew", async (store) => {
  const it = await made(store, { webhooks: { deploys: { ...rule, signature: "stripe" } } });
  const stripe = (seconds: number) => ({
    "stripe-signature": `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.evt`).digest("hex")}`,
  });
  const start = it.clock.now / 1000;
  expect(await (await it.post("evt", stripe(start))).json()).toEqual({ accepted: true });
  expect(await (await it.post("evt", stripe(start + 60))).json()).toEqual({ repeated: true });
  expect((await it.post("evt", stripe(start - 301))).status).toBe(401);
  expect((await it.post("evt", gitHubSign("evt"))).status).toBe(401);
  await it.drained();
});

forEachStore("makeWebhooks answers Slack's challenge, and runs nothing for it", async (store) => {
  const it = await made(store, { webhooks: { deploys: { ...rule, signature: "slack" } } });
  const body = JSON.stringify({ type: "url_verification", challenge: "abc" });
  const time = `${it.clock.now / 1000}`;
  const signature = createHmac("sha256", secret).update(`v0:${time}:${body}`).digest("hex");
  const answer = await it.post(body, {
    "x-slack-request-timestamp": time,
    "x-slack-signature": `v0=${signature}`,
  });
  expect(await answer.json()).toEqual({ challenge: "abc" });
  await it.drained();
  expect(it.ran).toEqual([]);
});

forEachStore("makeWebhooks does not write into a session of somebody else", async (store) => {
  await store.write((tx) => sessions.open(tx, { id: "main", owner: "alice", channel: "http", now: 1 }));
  const it = await made(store, { webhooks: { deploys: { ...rule, session: "{id}" } } });
  expect((await it.post('{"id":"main"}')).status).toBe(404);
  expect((await it.post('{"id":"mine"}')).status).toBe(202);
  await it.drained();
  expect(it.ran.map(({ sessionId }) => sessionId)).toEqual(["mine"]);
});
