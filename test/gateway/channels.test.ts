import { expect, test } from "bun:test";
import { Hono } from "hono";
import { AppError } from "../../src/errors.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import type { ChannelDesk } from "../../src/gateway/parts.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { list as listAudit } from "../../src/store/audit-list.ts";
import * as outbox from "../../src/store/outbox.ts";
import * as pairings from "../../src/store/pairings.ts";
import { aHouse, says } from "../channels/a-house.ts";
import { aliceToken, operatorToken, startGateway } from "./helpers/gateway-server.ts";

/** A gateway with one channel, whose webhook takes what says `secret`. */
async function served() {
  const house = await aHouse();
  await house.outbox.start();
  const hook = new Hono();
  hook.post("/pigeon/inbound", async (c) => {
    if (c.req.header("x-secret") !== "secret") throw new AppError("unauthorized", "The proof is missing.");
    return c.json(await house.take(says(await c.req.text())));
  });
  const desk: ChannelDesk = {
    routes: [hook],
    pairings: house.pairings,
    async retry(id) {
      const found = await house.store.write((tx) => outbox.retry(tx, id, house.clock.now));
      house.outbox.wake();
      return found;
    },
  };
  const base = await startGateway();
  const audit = createAuditTrail();
  const { store, turns } = house;
  const gateway = createGateway({ ...base, store, turns, audit, channels: desk });
  const listening = gateway.serve();
  const ask = async (path: string, init: RequestInit & { token?: string } = {}) => {
    const { token = operatorToken, ...rest } = init;
    const headers = {
      ...(token !== "" && { authorization: `Bearer ${token}` }),
      ...(init.headers as object),
    };
    const response = await fetch(`${listening.url}${path}`, { ...rest, headers });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const hookIn = (text: string, secret = "secret") =>
    ask("/pigeon/inbound", { method: "POST", token: "", body: text, headers: { "x-secret": secret } });
  return {
    house,
    ask,
    hookIn,
    gateway,
    async [Symbol.asyncDispose]() {
      await listening.stop(1000);
      await gateway.close();
      await base[Symbol.asyncDispose]();
      await house[Symbol.asyncDispose]();
    },
  };
}

const stranger = {
  sender: { id: "stranger" },
  recipient: "eve",
  sessionId: "post:eve",
  principal: "post:stranger",
};
const codeIn = (text = "") => /\b\d{6}\b/.exec(text)?.[0] ?? "";

test("a webhook of a channel comes in without a token, by its own proof alone", async () => {
  await using at = await served();

  expect(await at.hookIn("hello")).toMatchObject({ status: 200, body: { kind: "accepted" } });
  expect(await at.hookIn("hello")).toMatchObject({ status: 200, body: { kind: "repeated" } });
  expect(await at.hookIn("x", "guess")).toMatchObject({ status: 401 });
});

test("who sends wrong proofs is slowed down and counted in one row, and right ones always come in", async () => {
  await using at = await served();

  for (let n = 0; n < 10; n++) expect((await at.hookIn("x", `guess${n}`)).status).toBe(401);
  const slowed = await at.hookIn("x", "guess");
  expect(slowed.status).toBe(429);
  expect(Number(slowed.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await at.hookIn("hello")).status).toBe(200);

  await at.gateway.close();
  const { items } = await listAudit(at.house.store.read, { limit: 10, kind: "login" });
  expect(items.filter(({ outcome }) => outcome === "wrong_proof")).toMatchObject([
    { detail: '{"count":11}' },
  ]);
});

test("a webhook of a channel that is off is not there, and nothing else is open because of webhooks", async () => {
  await using at = await served();

  expect((await at.ask("/telegram/inbound", { method: "POST", token: "" })).status).toBe(404);
  expect((await at.ask("/pigeon/other", { method: "POST", token: "" })).status).toBe(401);
  expect((await at.ask("/api/pairing", { token: "" })).status).toBe(401);
  expect((await at.ask("/api/pairing", { token: aliceToken })).status).toBe(403);
  expect((await at.ask("/pairing/list", { token: aliceToken })).status).toBe(403);
});

test("pairing.* lists, admits and shuts out, and never shows a code", async () => {
  await using at = await served();
  await at.house.take(says("in", stranger));
  await at.house.provider.took(1);
  const code = codeIn(at.house.provider.texts()[0]);
  const post = (path: string, body: object) =>
    at.ask(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });

  const open = await at.ask("/api/pairing");
  expect(open.body.items).toMatchObject([{ channel: "post", sender: "stranger" }]);
  expect(JSON.stringify(open.body)).not.toContain(code);
  expect(Object.keys(open.body.items[0])).not.toContain("codeHash");
  expect((await post("/api/pairing/approve", { channel: "post", code: "12345" })).status).toBe(400);
  expect((await post("/api/pairing/approve", { channel: "nope", code })).status).toBe(404);
  expect(await post("/api/pairing/approve", { channel: "post", code })).toMatchObject({
    status: 200,
    body: { channel: "post", sender: "stranger" },
  });
  expect((await at.ask("/api/pairing")).body.items).toMatchObject([
    { state: "approved", approvedBy: "operator" },
  ]);
  expect((await post("/api/pairing/revoke", { channel: "post", sender: "stranger" })).status).toBe(200);
  expect((await post("/api/pairing/revoke", { channel: "post", sender: "stranger" })).status).toBe(404);
});

test("/pairing/* answers as OpenClaw.NET does", async () => {
  await using at = await served();
  await at.house.take(says("in", stranger));
  await at.house.provider.took(1);
  const code = codeIn(at.house.provider.texts()[0]);
  const post = (path: string) => at.ask(path, { method: "POST" });
  const who = "channelId=post&senderId=stranger";

  expect(await post("/pairing/approve?channelId=post")).toMatchObject({
    status: 400,
    body: { success: false },
  });
  expect(await post(`/pairing/approve?${who}&code=${code}`)).toMatchObject({
    status: 200,
    body: { success: true },
  });
  expect((await at.ask("/pairing/list")).body.items).toMatchObject([
    { channelId: "post", senderId: "stranger" },
  ]);
  expect(await post(`/pairing/revoke?${who}`)).toMatchObject({ status: 200, body: { success: true } });
  expect(await post(`/pairing/revoke?${who}`)).toMatchObject({ status: 404, body: { success: false } });
});

test("/pairing/list finds those who were admitted behind many who only asked", async () => {
  await using at = await served();
  const asked = {
    channel: "post",
    recipient: "eve",
    askedAt: 1,
    expiresAt: 2,
    tries: 0,
    salt: "s",
    codeHash: "h",
  };
  await at.house.store.write(async (tx) => {
    for (let n = 0; n < 450; n++) await pairings.ask(tx, { ...asked, sender: `s${1000 + n}` }, 0);
    for (const sender of ["s1210", "s1449"])
      await pairings.approve(tx, { channel: "post", sender, by: "operator", now: 3 });
  });

  expect((await at.ask("/pairing/list")).body.items).toEqual([
    { channelId: "post", senderId: "s1210", approvedAt: 3 },
    { channelId: "post", senderId: "s1449", approvedAt: 3 },
  ]);
});

test("deliveries.* shows what was given up and tries it again", async () => {
  await using at = await served();
  const { store, channel } = at.house;
  const dead = "There is no channel post here.";
  const piece = JSON.stringify({ kind: "text", text: "late" });
  const of = {
    channel: channel.name,
    recipient: "ann",
    turnId: "t1",
    kind: "answer",
    pieces: [piece],
    now: 1,
    dead,
  };
  await store.write((tx) => outbox.enqueue(tx, of));

  const { items } = (await at.ask("/api/deliveries")).body;
  expect(items).toMatchObject([{ recipient: "ann", lastError: dead }]);
  expect(JSON.stringify(items)).not.toContain("late");
  const again = `/api/deliveries/${items[0].id}/retry`;
  expect((await at.ask(again, { method: "POST" })).status).toBe(200);
  await at.house.provider.took(1);

  expect(at.house.provider.texts()).toEqual(["late"]);
  expect((await at.ask(again, { method: "POST" })).status).toBe(404);
});
