import { expect, test } from "bun:test";
import { createTelegramApi } from "../../src/channels/telegram-api.ts";
import { showTelegramPreview } from "../../src/channels/telegram-preview.ts";
import type { LoggedEvent, SessionEvent } from "../../src/turns/turns.ts";
import { botToken, refuse, startBotApi } from "./bot-api.ts";

const told = (event: LoggedEvent): SessionEvent => ({
  sessionId: "telegram:7",
  turnId: "t",
  cursor: "1",
  event,
});
const text = (of: string) => told({ type: "text", text: of });
const pace = { typingMs: 20, privateMs: 5, groupMs: 5 };
const long = "A text that is long enough to be shown. ";

const show = (url: string, more: Partial<typeof pace> = {}) =>
  showTelegramPreview(createTelegramApi(url, botToken), { chat: "7" }, { ...pace, ...more });

test("showTelegramPreview types from the first event until it is stopped", async () => {
  using api = startBotApi();
  const unheard = show(api.url);
  const preview = show(api.url);
  expect(api.calls).toEqual([]);
  preview.event(told({ type: "started" }));
  await api.seen("sendChatAction", 3);
  await preview.stop();
  await unheard.stop();
  expect(api.of("sendChatAction")[0]?.body).toEqual({ chat_id: "7", action: "typing" });
  expect(preview.messageId).toBeUndefined();
});

test("showTelegramPreview sends the answer once and edits it as it grows", async () => {
  using api = startBotApi();
  const preview = show(api.url);
  preview.event(text("Oh"));
  preview.event(text(`, ${long}`));
  const [first] = await api.seen("sendMessage");
  expect(first?.body).toMatchObject({ text: `Oh, ${long}` });
  preview.event(told({ type: "status", code: "step", text: "", step: 2 }));
  preview.event(text("More **of it**."));
  const [edit] = await api.seen("editMessageText");
  expect(edit?.body).toMatchObject({ message_id: 101, text: `Oh, ${long}\n\nMore **of it**.` });
  expect(edit?.body.parse_mode).toBeUndefined();
  await preview.stop();
  expect(preview.messageId).toBe("101");
  expect(api.of("sendMessage")).toHaveLength(1);
});

test("showTelegramPreview forgets what is told again", async () => {
  using api = startBotApi();
  const preview = show(api.url);
  preview.event(told({ type: "status", code: "step", text: "" }));
  preview.event(text("Half an answer that"));
  preview.event(told({ type: "status", code: "restarted", text: "" }));
  preview.event(text(long));
  expect((await api.seen("sendMessage"))[0]?.body).toMatchObject({ text: long });
  await preview.stop();
});

test("showTelegramPreview waits as long as Telegram says", async () => {
  using api = startBotApi();
  let now = 0;
  api.script("sendMessage", () => refuse(429, "Too Many Requests", { retry_after: 3600 }));
  const client = createTelegramApi(api.url, botToken);
  const preview = showTelegramPreview(client, { chat: "7" }, { ...pace, privateMs: 0 }, () => now++);
  preview.event(text(long));
  await api.seen("sendMessage");
  const typed = api.of("sendChatAction").length;
  preview.event(text(long));
  await preview.stop();
  expect(api.of("sendMessage")).toHaveLength(1);
  expect(api.of("sendChatAction").length).toBeLessThanOrEqual(typed + 1);
  expect(preview.messageId).toBeUndefined();
});

test("showTelegramPreview begins no message before what was said earlier has arrived", async () => {
  using api = startBotApi();
  let asked = 0;
  const askedTwice = Promise.withResolvers<void>();
  let arrived = false;
  const isNext = async () => {
    if (++asked === 2) askedTwice.resolve();
    return arrived;
  };
  const client = createTelegramApi(api.url, botToken);
  const preview = showTelegramPreview(client, { chat: "7" }, pace, Date.now, isNext);
  preview.event(text(long));
  await askedTwice.promise;
  expect(api.of("sendMessage")).toEqual([]);
  arrived = true;
  expect((await api.seen("sendMessage"))[0]?.body).toMatchObject({ text: long });
  await preview.stop();
});

test("showTelegramPreview knows the id of the message that was on its way when it was stopped", async () => {
  using api = startBotApi();
  const { promise, resolve } = Promise.withResolvers<object>();
  api.script("sendMessage", () => promise);
  const preview = show(api.url);
  preview.event(text(long));
  await api.seen("sendMessage");
  const stopped = preview.stop();
  resolve({ message_id: 77 });
  await stopped;
  expect(preview.messageId).toBe("77");
});

test("showTelegramPreview shows the beginning of a long answer, within one message", async () => {
  using api = startBotApi();
  const preview = show(api.url);
  preview.event(text("😀 word ".repeat(2000)));
  const [sent] = await api.seen("sendMessage");
  expect(String(sent?.body.text).length).toBeLessThanOrEqual(4096);
  expect(String(sent?.body.text)).toEndWith("…");
  await preview.stop();
});

test("showTelegramPreview begins no second message where nobody knows whether the first was taken", async () => {
  using api = startBotApi();
  let now = 0;
  api.script("sendMessage", () => new Response("<html>Gateway time-out</html>", { status: 504 }));
  const client = createTelegramApi(api.url, botToken);
  // Each look at the clock is a minute later: all pauses are over at once.
  const preview = showTelegramPreview(
    client,
    { chat: "7" },
    { ...pace, privateMs: 0 },
    () => (now += 60_000),
  );
  preview.event(text(long));
  await api.seen("sendMessage");
  for (let times = 0; times < 4; times++) {
    preview.event(text(long));
    await api.seen("sendChatAction", api.of("sendChatAction").length + 1);
  }
  await preview.stop();
  expect(api.of("sendMessage")).toHaveLength(1);
});

test("showTelegramPreview waits for its first message as long as any call may take", async () => {
  using api = startBotApi();
  const client = createTelegramApi(api.url, botToken);
  const times = new Map<string, number | undefined>();
  const timed: typeof client = {
    ...client,
    call(method, payload, signal, timeoutMs) {
      times.set(method, timeoutMs);
      return client.call(method, payload, signal, timeoutMs);
    },
  };
  const preview = showTelegramPreview(timed, { chat: "7" }, pace);
  preview.event(text(long));
  await api.seen("sendMessage");
  await preview.stop();
  expect(times.has("sendMessage")).toBe(true);
  expect(times.get("sendMessage")).toBeUndefined();
});

test("showTelegramPreview takes its message away", async () => {
  using api = startBotApi();
  const preview = show(api.url);
  preview.event(text(long));
  await api.seen("sendMessage");
  await preview.stop();
  await preview.discard?.();
  expect(api.of("deleteMessage").map(({ body }) => body)).toEqual([{ chat_id: "7", message_id: 101 }]);
});
