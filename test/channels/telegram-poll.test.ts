import { expect, test } from "bun:test";
import type { Inbound } from "../../src/channels/channel.ts";
import type { PollPace } from "../../src/channels/telegram-poll.ts";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { AppError, busy, sessionBusy } from "../../src/errors.ts";
import { memoryStore } from "../../src/store/open.ts";
import { aMessage, botToken, refuse, startBotApi } from "./bot-api.ts";
import { recordingInbox } from "./telegram-inbox.ts";

const pollPace = { idleMs: 5, firstWaitMs: 2, longestWaitMs: 10, longestBusyMs: 10, othersMs: 5 };

async function poll(telegramApi: string, before?: (message: Inbound) => void, pace: Partial<PollPace> = {}) {
  const recorded = recordingInbox(before);
  const channel = await makeTelegram(
    {
      publicUrl: undefined,
      telegramToken: botToken,
      telegramSecret: undefined,
      telegramPolicy: "open",
      telegramSenders: [],
      telegramApi,
    },
    { store: await memoryStore(), pollPace: { ...pollPace, ...pace } },
  );
  const controller = new AbortController();
  const started = channel?.start?.(recorded.inbox, controller.signal);
  return {
    ...recorded,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await started;
    },
  };
}

const update = (id: number, chat = 7) => ({
  update_id: id,
  message: aMessage({
    from: { id: chat, is_bot: false, first_name: "Ada" },
    chat: { id: chat, type: "private" },
  }),
});
const ids = (taken: readonly Inbound[]) => taken.map(({ deliveryId }) => deliveryId);

test("polling confirms an update only behind its being taken, in order, each once", async () => {
  using api = startBotApi();
  api.script(
    "getUpdates",
    () => [update(6), update(5), update(5)],
    () => [update(6), update(7)],
  );
  await using polling = await poll(api.url);
  await polling.took(3);
  const [first, second, third] = await api.seen("getUpdates", 3);
  expect(ids(polling.taken)).toEqual(["5", "6", "7"]);
  expect(first?.body).toMatchObject({
    offset: 0,
    timeout: 20,
    allowed_updates: ["message", "callback_query"],
  });
  expect(second?.body).toMatchObject({ offset: 7 });
  expect(third?.body).toMatchObject({ offset: 8 });
  expect(api.of("deleteWebhook")).toEqual([]);
});

test("polling keeps an update that cannot be stored, takes those of other chats, and goes on in order", async () => {
  using api = startBotApi();
  let fails = 2;
  const all = [update(1), update(2, 8), update(3)];
  api.script(
    "getUpdates",
    () => all,
    () => all,
    () => all,
  );
  await using polling = await poll(api.url, ({ deliveryId }) => {
    if (deliveryId === "1" && fails-- > 0) throw new AppError("busy", "Server is busy. Please retry.");
  });
  await polling.took(3);
  const asked = await api.seen("getUpdates", 4);
  expect(ids(polling.taken)).toEqual(["2", "1", "3"]);
  expect(asked.map(({ body }) => body.offset)).toEqual([0, 1, 1, 4]);
  expect(asked.map(({ body }) => body.timeout)).toEqual([20, 0, 0, 20]);
});

test("polling tells whom has a full session of their own to say it again, and waits for nobody", async () => {
  using api = startBotApi();
  api.script("getUpdates", () => [update(1), update(2, 8)]);
  await using polling = await poll(api.url, ({ deliveryId }) => {
    if (deliveryId === "1") throw sessionBusy();
  });
  await polling.took(1);
  const [said] = await api.seen("sendMessage");
  const asked = await api.seen("getUpdates", 2);
  expect(ids(polling.taken)).toEqual(["2"]);
  expect(said?.body).toEqual({ chat_id: "7", text: "Server is busy. Please retry." });
  expect(asked.map(({ body }) => body.offset)).toEqual([0, 3]);
});

test("polling waits for a server without room no longer than its pace has it", async () => {
  using api = startBotApi();
  const times = 20;
  for (let at = 0; at <= times; at++) api.script("getUpdates", () => [update(1)]);
  let fails = times;
  const before = () => {
    if (fails-- > 0) throw busy();
  };
  // The usual waits would be double each time: a quarter of an hour.
  await using polling = await poll(api.url, before, { longestWaitMs: 10 ** 9, longestBusyMs: 5 });
  await polling.took(1);
  expect(api.of("sendMessage")).toEqual([]);
});

test("polling gives an update up that always fails, so that those behind it are taken", async () => {
  using api = startBotApi();
  for (let at = 0; at < 8; at++) api.script("getUpdates", () => [update(1), update(2)]);
  await using polling = await poll(api.url, ({ deliveryId }) => {
    if (deliveryId === "1") throw new Error("a fault of ours");
  });
  const asked = await api.seen("getUpdates", 9);
  expect(ids(polling.taken)).toEqual(["2"]);
  expect(asked.map(({ body }) => body.offset)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 3]);
});

test("polling takes a webhook away only when one is in its way", async () => {
  using api = startBotApi();
  api.script("getUpdates", () =>
    refuse(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"),
  );
  api.script("getWebhookInfo", () => ({ url: "https://old.test/hook" }));
  await using polling = await poll(api.url);
  api.script("getUpdates", () => [update(1)]);
  await polling.took(1);
  expect(api.of("deleteWebhook")).toMatchObject([{ body: { drop_pending_updates: false } }]);
});

test("polling outlives another poller, refusals, answers that are none, and what has no shape", async () => {
  using api = startBotApi();
  api.script(
    "getUpdates",
    () => refuse(409, "Conflict: terminated by other getUpdates request"),
    () => refuse(429, "Too Many Requests", { retry_after: 0 }),
    () => new Response("<html>", { status: 502 }),
    () => ({ nothing: true }),
    () => [{ nothing: true }, 5, update(1)],
  );
  await using polling = await poll(api.url);
  await polling.took(1);
  expect(api.of("deleteWebhook")).toEqual([]);
});
