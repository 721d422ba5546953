import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { RunTurn, Turn } from "../../src/agent/turn.ts";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { httpStatus, publicError } from "../../src/errors.ts";
import * as parts from "../../src/store/held-parts.ts";
import { echo } from "../gateway/helpers/runs.ts";
import { until } from "../helpers/until.ts";
import { aHouse, says } from "./a-house.ts";
import { aMessage, botToken, startBotApi } from "./bot-api.ts";

const secret = "the-secret";
const headers = { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret };
const pollPace = { idleMs: 5, firstWaitMs: 2, longestWaitMs: 10, longestBusyMs: 10, othersMs: 5 };
const png = (name: string) => Buffer.from(`\x89PNG\r\n\x1a\n${name}`, "latin1");

/** A part of an album: a picture. */
const part = (id: number, more: object = {}) => ({
  update_id: id,
  message: aMessage({
    message_id: id,
    text: undefined,
    media_group_id: "album-1",
    photo: [{ file_id: `f${id}`, file_size: 10 }],
    ...more,
  }),
});
const text = (id: number, more: object = {}) => ({
  update_id: id,
  message: aMessage({ message_id: id, ...more }),
});
const group = { chat: { id: -100, type: "supergroup", title: "Team" } };
const caption = (said: string) => ({ caption: said });
const toBot = { caption: "@ClawBot which?", caption_entities: [{ type: "mention", offset: 0, length: 8 }] };

interface SetUp {
  readonly isFull?: () => boolean;
  readonly policy?: "open" | "pairing";
}

/** A house whose clock moves only by hand, and servers of it that may be left as a killed one leaves things. */
async function setUp({ policy = "open", ...options }: SetUp = {}) {
  const api = startBotApi();
  const ran: Turn[] = [];
  const run: RunTurn = (turn) => {
    ran.push(turn);
    return echo(turn);
  };
  const house = await aHouse({
    ...options,
    run,
    channel: { name: "telegram", policy },
    attachments: { takesImages: () => true },
  });
  await house.outbox.start();
  const controller = new AbortController();
  for (let n = 0; n < 20; n++)
    api.script("getFile", ({ body }) => ({ file_path: `photos/${String(body.file_id)}` }));
  const started: (Promise<void> | undefined)[] = [];

  async function server(publicUrl?: string) {
    const settings = { telegramToken: botToken, telegramSecret: secret, telegramApi: api.url };
    const channel = await makeTelegram(
      { ...settings, publicUrl, telegramPolicy: policy, telegramSenders: [] },
      { store: house.store, pollPace, albumQuietMs: 20, now: () => house.clock.now },
    );
    const app = new Hono().route("/", channel?.routes?.(house.inbox) ?? new Hono());
    app.onError((error) => new Response("", { status: httpStatus[publicError(error).code] }));
    return {
      start: () => void started.push(channel?.start?.(house.inbox, controller.signal)),
      send: async (update: object) =>
        (await app.request("/telegram/inbound", { method: "POST", headers, body: JSON.stringify(update) }))
          .status,
    };
  }

  return {
    api,
    house,
    ran,
    server,
    webhook: () => server("https://agent.test"),
    texts: () => ran.map((turn) => turn.text.split("\n")),
    held: () => house.store.read((tx) => parts.list(tx, "telegram", 10)),
    /** The moment after which an album is whole. */
    pass: () => void (house.clock.now += 1000),
    async ranTurns(times: number) {
      await until(`${times} turns ran`, () => ran.length >= times);
      expect(ran).toHaveLength(times);
    },
    async [Symbol.asyncDispose]() {
      controller.abort();
      await Promise.all(started);
      await house[Symbol.asyncDispose]();
      api[Symbol.dispose]();
    },
  };
}

const lines = (...ids: number[]) => ids.map((id) => `[image: photo-${id}.jpg, 10 bytes: not stored]`);

test("an album by webhook is one message in its order, whichever part comes first, and one answer", async () => {
  await using at = await setUp();
  const { send, start } = await at.webhook();
  start();
  for (const update of [part(103), part(101, caption("What is in these?")), part(102)])
    expect(await send(update)).toBe(200);
  expect(at.ran).toEqual([]);
  at.pass();
  await at.ranTurns(1);
  expect(at.texts()).toEqual([["What is in these?", ...lines(101, 102, 103)]]);
  for (const id of [101, 102, 103]) expect(await send(part(id))).toBe(200);
  expect(await send(text(104))).toBe(200);
  await at.ranTurns(2);
  await at.house.provider.took(2);
  expect(at.texts().at(1)).toEqual(["Hello"]);
});

test("an album by polling is one message, and its updates are confirmed", async () => {
  await using at = await setUp();
  at.api.script("getUpdates", () => [part(1), part(2, caption("And now?")), part(3), text(4)]);
  const { start } = await at.server();
  start();
  await at.ranTurns(2);
  expect(at.texts()).toEqual([["And now?", ...lines(1, 2, 3)], ["Hello"]]);
  const asked = await at.api.seen("getUpdates", 2);
  expect(asked[1]?.body).toMatchObject({ offset: 5 });
});

test("an album shows as many pictures as a message may hold, and names the rest", async () => {
  await using at = await setUp();
  const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  at.api.script("getUpdates", () => [...ids.map((id) => part(id)), text(11)]);
  for (const id of ids) at.api.files.set(`f${id}`, png(`f${id}`));
  (await at.server()).start();
  await at.ranTurns(2);
  expect(at.texts()[0]).toEqual([
    ...[1, 2, 3, 4].map((id) => `[image: photo-${id}.jpg, 10 bytes]`),
    ...lines(5, 6, 7, 8, 9, 10),
  ]);
  const shown = JSON.stringify(at.ran[0]?.entries).matchAll(/base64,([^"\\]*)/g);
  expect([...shown].map(([, data = ""]) => Buffer.from(data, "base64").toString("latin1"))).toEqual(
    [1, 2, 3, 4].map((id) => png(`f${id}`).toString("latin1")),
  );
});

test("an album that a killed process held is taken by the next, with what comes of it then", async () => {
  await using at = await setUp();
  // Nothing was started of the first: it is gone before the album is whole.
  const first = await at.webhook();
  for (const update of [part(1), part(2)]) expect(await first.send(update)).toBe(200);
  const second = await at.webhook();
  expect(await second.send(part(2))).toBe(200);
  expect(await second.send(part(3, caption("All?")))).toBe(200);
  at.pass();
  second.start();
  await at.ranTurns(1);
  expect(at.texts()).toEqual([["All?", ...lines(1, 2, 3)]]);
});

test("an album is one message when two servers look at it at once", async () => {
  await using at = await setUp();
  const servers = [await at.webhook(), await at.webhook(), await at.webhook()];
  for (const [id, { send }] of servers.entries()) expect(await send(part(id))).toBe(200);
  at.pass();
  for (const { start } of servers) start();
  // What is said behind it takes what is held, too.
  expect(await servers[0]?.send(text(9))).toBe(200);
  await at.ranTurns(2);
  expect(at.texts()).toEqual([lines(0, 1, 2), ["Hello"]]);
});

test("an album is not held by a clock that was ahead", async () => {
  await using at = await setUp();
  const { send, start } = await at.webhook();
  expect(await send(part(1))).toBe(200);
  at.house.clock.now -= 500_000;
  start();
  await at.ranTurns(1);
});

test("inbox.take undoes all of its commit when what goes with it is gone", async () => {
  await using at = await setUp();
  const take = (also: boolean) => at.house.take(says("Hello", { also: async () => also }));
  expect(await take(false)).toEqual({ kind: "repeated" });
  expect(await take(true)).toMatchObject({ kind: "accepted" });
  expect(await take(true)).toEqual({ kind: "repeated" });
  await at.ranTurns(1);
});

test("an album in a group is for the bot when its caption is", async () => {
  await using at = await setUp();
  const { send } = await at.webhook();
  const other = { ...group, media_group_id: "album-2" };
  for (const update of [part(1, group), part(2, { ...group, ...toBot })]) await send(update);
  for (const update of [part(3, { ...other, ...caption("For you all") }), part(4, other)]) await send(update);
  await send(
    text(5, { ...group, text: "/status", entities: [{ type: "bot_command", offset: 0, length: 7 }] }),
  );
  await at.ranTurns(1);
  expect(at.texts()).toEqual([["[Ada] which?", ...lines(1, 2)]]);
});

test("an album waits on disk while the server has no room", async () => {
  let full = true;
  await using at = await setUp({ isFull: () => full });
  const { send } = await at.webhook();
  for (const update of [part(1), part(2)]) expect(await send(update)).toBe(200);
  expect(await send(text(3))).toBe(503);
  full = false;
  expect(await send(text(3))).toBe(200);
  await at.ranTurns(2);
  expect(at.texts()).toEqual([lines(1, 2), ["Hello"]]);
});

test("a part that comes late is a message of its own", async () => {
  await using at = await setUp();
  const { send } = await at.webhook();
  for (const update of [part(2), text(3), part(1), text(4)]) expect(await send(update)).toBe(200);
  await at.ranTurns(4);
  expect(at.texts()).toEqual([lines(2), ["Hello"], lines(1), ["Hello"]]);
});

test("an album is refused while too much of its chat is held", async () => {
  await using at = await setUp();
  const { send } = await at.webhook();
  for (let id = 1; id <= 100; id++) expect(await send(part(id))).toBe(200);
  expect(await send(part(101))).toBe(503);
});

test("an album of a stranger is asked about once, runs nothing, and is not kept", async () => {
  await using at = await setUp({ policy: "pairing" });
  const { send, start } = await at.webhook();
  start();
  for (const update of [part(1), part(2)]) expect(await send(update)).toBe(200);
  expect(await at.held()).toHaveLength(1);
  at.pass();
  await until("nothing of it is held", async () => (await at.held()).length === 0);
  expect(await send(part(2))).toBe(200);
  expect(await at.held()).toEqual([]);
  await at.house.provider.took(1);
  expect(at.house.provider.texts()).toEqual([expect.stringMatching(/\b\d{6}\b/)]);
  expect(at.ran).toEqual([]);
});
