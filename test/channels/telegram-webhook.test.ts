import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { Inbound } from "../../src/channels/channel.ts";
import { makeTelegram } from "../../src/channels/telegram.ts";
import { AppError, httpStatus, publicError } from "../../src/errors.ts";
import { memoryStore } from "../../src/store/open.ts";
import { aMessage, botToken, startBotApi } from "./bot-api.ts";
import { recordingInbox } from "./telegram-inbox.ts";

const secret = "the-secret";
const settings = {
  publicUrl: "https://agent.test",
  telegramToken: botToken,
  telegramSecret: secret,
  telegramPolicy: "open",
  telegramSenders: [],
} as const;

const json = { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret };

async function setUp(telegramApi: string, before?: (message: Inbound) => void) {
  const channel = await makeTelegram({ ...settings, telegramApi }, { store: await memoryStore() });
  const recorded = recordingInbox(before);
  if (channel?.routes === undefined) throw new Error("Expected routes.");
  const app = new Hono().route("/", channel.routes(recorded.inbox));
  app.onError((error) => new Response("", { status: httpStatus[publicError(error).code] }));
  const post = (body: BodyInit, headers: Record<string, string> = json) =>
    app.request("/telegram/inbound", { method: "POST", body, headers });
  const send = (update: object) => post(JSON.stringify(update));
  return { channel, post, send, ...recorded };
}

const update = (id: number, more: object = {}) => ({ update_id: id, message: aMessage(more) });

test("the webhook takes a message and answers when it was taken", async () => {
  using api = startBotApi();
  const { send, taken } = await setUp(api.url);
  expect((await send(update(1))).status).toBe(200);
  expect(taken).toMatchObject([{ deliveryId: "1", text: "Hello" }]);
});

test("the webhook refuses whoever does not show the secret, whatever else is sent", async () => {
  using api = startBotApi();
  const { post, taken } = await setUp(api.url);
  const body = JSON.stringify(update(1));
  const shown = (value: string) => ({ ...json, "x-telegram-bot-api-secret-token": value });
  for (const value of ["", "the-secre", "the-secret2", "THE-SECRET", "é".repeat(300)])
    expect((await post(body, shown(encodeURIComponent(value)))).status).toBe(401);
  expect((await post(body, { "content-type": "application/json" })).status).toBe(401);
  expect((await post("x".repeat(70_000), {})).status).toBe(401);
  expect(taken).toEqual([]);
});

test("the webhook takes 64 KiB and not a byte more", async () => {
  using api = startBotApi();
  const { post, taken } = await setUp(api.url);
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ ...update(1), pad: "" }).length;
    return JSON.stringify({ ...update(1), pad: "x".repeat(bytes - empty) });
  };
  expect((await post(sized(65_537))).status).toBe(413);
  const unknownLength = new Blob([sized(65_537)]).stream();
  expect((await post(unknownLength)).status).toBe(413);
  expect(taken).toEqual([]);
  expect((await post(sized(65_536))).status).toBe(200);
  expect(taken).toHaveLength(1);
});

test("the webhook refuses what is no JSON, and another content type", async () => {
  using api = startBotApi();
  const { post } = await setUp(api.url);
  expect((await post("{}", { ...json, "content-type": "text/plain" })).status).toBe(415);
  for (const body of [
    "",
    "{",
    "[]",
    "{}",
    '{"update_id":"1"}',
    "[".repeat(60_000),
    new Uint8Array([0x7b, 0xff, 0x7d]),
  ])
    expect((await post(body)).status).toBe(400);
});

test("the webhook acknowledges what is not for us, so that it is not sent again", async () => {
  using api = startBotApi();
  const { send, taken } = await setUp(api.url);
  for (const more of [
    { edited_message: aMessage() },
    { my_chat_member: {} },
    { message: { nothing: true } },
    { message: 5 },
    { callback_query: { id: 5 } },
    { message: aMessage({ from: { id: 7, is_bot: true } }) },
  ])
    expect((await send({ update_id: 1, ...more })).status).toBe(200);
  expect(taken).toEqual([]);
});

test("the webhook takes a repeated update once, and the others in any order", async () => {
  using api = startBotApi();
  const { send, taken } = await setUp(api.url);
  for (const id of [3, 1, 3, 2, 1]) expect((await send(update(id))).status).toBe(200);
  expect(taken.map(({ deliveryId }) => deliveryId)).toEqual(["3", "1", "2"]);
});

test("the webhook asks to be told again when the message could not be stored", async () => {
  using api = startBotApi();
  let away = true;
  const { send, taken } = await setUp(api.url, () => {
    if (away) throw new AppError("unavailable", "The store is away.");
  });
  expect((await send(update(1))).status).toBe(503);
  away = false;
  expect((await send(update(1))).status).toBe(200);
  expect(taken).toHaveLength(1);
});

test("a button decides for its presser, shows it, and takes the buttons away", async () => {
  using api = startBotApi();
  const { channel, send, decisions } = await setUp(api.url);
  const approvalId = "apr_0123456789abcdef";
  const piece = { kind: "approval", text: "Run it?", approvalId } as const;
  await channel.send({ key: "k", recipient: "-100#7", piece }, AbortSignal.timeout(5000));
  const markup = api.of("sendMessage")[0]?.body.reply_markup as {
    inline_keyboard: { callback_data: string }[][];
  };
  const data = markup.inline_keyboard[0]?.[0]?.callback_data;
  const press = (id: number) => ({
    update_id: id,
    callback_query: {
      id: "c",
      from: { id, is_bot: false, first_name: "Ada" },
      data,
      message: { message_id: 101, date: 1, chat: { id: -100, type: "supergroup" }, text: "Run it?" },
    },
  });
  expect((await send(press(8))).status).toBe(200);
  expect(decisions).toEqual([]);
  expect((await send(press(7))).status).toBe(200);
  expect(decisions).toEqual([["telegram:-100", approvalId, true, "once"]]);
  const notes = await api.seen("answerCallbackQuery", 2);
  expect(notes.map(({ body }) => body.text).toSorted()).toEqual([
    "Only the one who asked can decide this.",
    `Tool approval recorded: ${approvalId} = approved`,
  ]);
  const [edit] = await api.seen("editMessageText");
  expect(edit?.body).toMatchObject({ message_id: 101, text: "Run it?\n\n✅ Approved by Ada." });
  expect(edit?.body.reply_markup).toBeUndefined();

  // The press is told again: what stands there stays.
  expect((await send(press(7))).status).toBe(200);
  await api.seen("editMessageReplyMarkup");
  expect(api.of("editMessageText")).toHaveLength(1);
});

test("start registers the webhook and the commands, and only what differs", async () => {
  using api = startBotApi();
  const store = await memoryStore();
  const commands = () => [
    { name: "help", doc: "shows this list" },
    { name: "no-such", doc: "is left out" },
  ];
  const channel = await makeTelegram({ ...settings, telegramApi: api.url }, { store, commands });
  const { inbox } = recordingInbox();
  const controller = new AbortController();
  const started = channel?.start?.(inbox, controller.signal);
  const [set] = await api.seen("setWebhook");
  expect(set?.body).toMatchObject({ secret_token: secret, allowed_updates: ["message", "callback_query"] });
  const url = String(set?.body.url);
  expect(url).toMatch(/^https:\/\/agent\.test\/telegram\/inbound\?v=[0-9a-f]{8}$/);
  expect((await api.seen("setMyCommands"))[0]?.body).toEqual({
    commands: [{ command: "help", description: "shows this list" }],
  });
  controller.abort();
  await started;

  api.script("getWebhookInfo", () => ({ url, allowed_updates: ["callback_query", "message"] }));
  const again = new AbortController();
  const restarted = channel?.start?.(inbox, again.signal);
  await api.seen("getWebhookInfo", 2);
  again.abort();
  await restarted;
  expect(api.of("setWebhook")).toHaveLength(1);
  expect(api.of("getUpdates")).toEqual([]);
});

test("the secret is made from the token when none is set, and with it the address changes", async () => {
  using api = startBotApi();
  const store = await memoryStore();
  const registered = async (telegramSecret: string | undefined, token = botToken) => {
    const channel = await makeTelegram(
      { ...settings, telegramSecret, telegramToken: token, telegramApi: api.url },
      { store },
    );
    const controller = new AbortController();
    const before = api.of("setWebhook").length;
    const started = channel?.start?.(recordingInbox().inbox, controller.signal);
    const set = (await api.seen("setWebhook", before + 1)).at(-1)?.body;
    controller.abort();
    await started;
    return set;
  };
  const made = await registered(undefined);
  expect(made?.secret_token).toMatch(/^[0-9a-f]{64}$/);
  expect(await registered(undefined)).toEqual(made);
  expect((await registered("another"))?.url).not.toBe(made?.url);
});

test("makeTelegram is off without a token, and polls or hooks but never both", async () => {
  const store = await memoryStore();
  const of = async (more: object) =>
    await makeTelegram({ ...settings, telegramApi: "http://127.0.0.1:1", ...more }, { store });
  expect(await of({ telegramToken: undefined })).toBeUndefined();
  expect((await of({}))?.routes).toBeDefined();
  expect((await of({ publicUrl: undefined }))?.routes).toBeUndefined();
  expect((await of({ publicUrl: "http://agent.test" }))?.routes).toBeUndefined();
});
