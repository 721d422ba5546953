import { expect, test } from "bun:test";
import { DeliveryError, type Piece } from "../../src/channels/channel.ts";
import { createTelegramApi } from "../../src/channels/telegram-api.ts";
import { createTelegramSender } from "../../src/channels/telegram-send.ts";
import { botToken, refuse, startBotApi } from "./bot-api.ts";

const signal = AbortSignal.timeout(20_000);

const sender = (url: string) => createTelegramSender(createTelegramApi(url, botToken), "key");
const text = (of: string): Piece => ({ kind: "text", text: of });
const sending = (piece: Piece, more: object = {}) => ({ key: "k", recipient: "7", piece, ...more });

async function failure(sent: Promise<unknown>): Promise<DeliveryError> {
  const error = await sent.catch((thrown: unknown) => thrown);
  if (!(error instanceof DeliveryError)) throw new Error("Expected a DeliveryError.", { cause: error });
  expect(error.message).not.toContain(botToken);
  return error;
}

test("send writes HTML, to the topic, and tells the id", async () => {
  using api = startBotApi();
  const sent = await sender(api.url).send(
    { ...sending(text("**Hi** <you>")), recipient: "-100/9#7" },
    signal,
  );
  expect(sent).toEqual({ id: "101" });
  expect(api.calls).toEqual([
    {
      method: "sendMessage",
      body: {
        chat_id: "-100",
        message_thread_id: 9,
        text: "<b>Hi</b> &lt;you&gt;",
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
      },
    },
  ]);
});

test("send falls back to plain text where the HTML cannot be read", async () => {
  using api = startBotApi();
  api.script("sendMessage", () => refuse(400, "Bad Request: can't parse entities: unexpected end tag"));
  expect(await sender(api.url).send(sending(text("**Hi**")), signal)).toEqual({ id: "101" });
  expect(api.of("sendMessage")[1]?.body).toMatchObject({ text: "**Hi**" });
  expect(api.of("sendMessage")[1]?.body.parse_mode).toBeUndefined();
});

test("send shows as it stands what would be nothing as HTML", async () => {
  using api = startBotApi();
  const seen = ({ body }: { body: Record<string, unknown> }) => {
    const html = body.parse_mode === "HTML" ? String(body.text).replace(/<[^>]*>/g, "") : String(body.text);
    return html.trim() === "" ? refuse(400, "Bad Request: message text is empty") : { message_id: 1 };
  };
  const odd = ["# \n", "```\n```", "``` \n\n```", "[ ](https://x.test)", "**\u200b**"];
  for (const markdown of odd) {
    api.script("sendMessage", seen);
    expect(await sender(api.url).send(sending(text(markdown)), signal)).toEqual({ id: "1" });
    expect(api.of("sendMessage").at(-1)?.body).toMatchObject({ text: markdown });
  }
  expect(api.of("sendMessage")).toHaveLength(odd.length);
});

test("send falls back to plain text also where Telegram sees nothing in the HTML", async () => {
  using api = startBotApi();
  api.script("sendMessage", () => refuse(400, "Bad Request: text must be non-empty"));
  expect(await sender(api.url).send(sending(text("**\u2061**")), signal)).toEqual({ id: "101" });
});

test("send tells how long to wait, and what will never be sent", async () => {
  using api = startBotApi();
  const { send } = sender(api.url);
  api.script(
    "sendMessage",
    () => refuse(429, "Too Many Requests: retry after 17", { retry_after: 17 }),
    () => refuse(403, "Forbidden: bot was blocked by the user"),
    () => refuse(400, "Bad Request: chat not found"),
    () => refuse(400, "Bad Request: message thread not found"),
    () => refuse(500, "Internal Server Error"),
    () => refuse(401, "Unauthorized"),
    () => new Response("<html>Bad gateway</html>", { status: 502 }),
    () => Response.json({ result: "neither yes nor no" }),
  );
  const next = () => failure(send(sending(text("Hi")), signal));
  expect(await next()).toMatchObject({ final: false, retryAfterMs: 17_000 });
  expect(await next()).toMatchObject({ final: true });
  expect(await next()).toMatchObject({
    final: true,
    message: "Telegram said 400: Bad Request: chat not found",
  });
  expect(await next()).toMatchObject({ final: true });
  for (let at = 0; at < 4; at++)
    expect(await next()).toMatchObject({ final: false, retryAfterMs: undefined });
});

test("send ends with its signal when Telegram hangs", async () => {
  using api = startBotApi();
  api.script("sendMessage", () => new Promise(() => {}));
  const controller = new AbortController();
  const sent = failure(sender(api.url).send(sending(text("Hi")), controller.signal));
  await api.seen("sendMessage");
  controller.abort();
  expect(await sent).toMatchObject({ final: false });
});

test("send makes the preview the answer, or sends a new message where it is gone", async () => {
  using api = startBotApi();
  const { send } = sender(api.url);
  expect(await send(sending(text("Hi"), { replaces: "42" }), signal)).toEqual({ id: "42" });
  api.script("editMessageText", () => refuse(400, "Bad Request: message is not modified: same content"));
  expect(await send(sending(text("Hi"), { replaces: "42" }), signal)).toEqual({ id: "42" });
  api.script("editMessageText", () => refuse(400, "Bad Request: message to edit not found"));
  expect(await send(sending(text("Hi"), { replaces: "42" }), signal)).toEqual({ id: "101" });
  api.script("editMessageText", () => refuse(429, "Too Many Requests", { retry_after: 3 }));
  expect(await failure(send(sending(text("Hi"), { replaces: "42" }), signal))).toMatchObject({
    retryAfterMs: 3000,
  });
});

test("send lets Telegram fetch a photo, and writes its address where that fails", async () => {
  using api = startBotApi();
  const { send } = sender(api.url);
  const photo: Piece = { kind: "photo", text: "https://x.test/a.png" };
  expect(await send(sending(photo, { replaces: "42" }), signal)).toEqual({ id: "101" });
  expect(api.of("deleteMessage")[0]?.body).toEqual({ chat_id: "7", message_id: 42 });
  expect(api.of("sendPhoto")[0]?.body).toEqual({ chat_id: "7", photo: "https://x.test/a.png" });
  api.script("sendPhoto", () => refuse(400, "Bad Request: failed to get HTTP URL content"));
  await send(sending(photo), signal);
  expect(api.of("sendMessage")[0]?.body).toMatchObject({ text: "https://x.test/a.png" });
});

test("send asks with buttons for the one who asked, as plain text", async () => {
  using api = startBotApi();
  const { send } = sender(api.url);
  const approval: Piece = { kind: "approval", text: "Run *rm*?", approvalId: "apr_0123456789abcdef" };
  await send(sending(approval), signal);
  await send({ ...sending(approval), recipient: "-100" }, signal);
  const [asked, nobody] = api.of("sendMessage");
  expect(asked?.body).toMatchObject({
    text: "Run *rm*?",
    reply_markup: { inline_keyboard: [[{}, {}], [{}]] },
  });
  expect(asked?.body.parse_mode).toBeUndefined();
  expect(nobody?.body.reply_markup).toBeUndefined();
});

test("send follows a group that has got another number, and refuses what is no recipient", async () => {
  using api = startBotApi();
  const { send } = sender(api.url);
  api.script("sendMessage", () =>
    refuse(400, "Bad Request: group chat was upgraded", { migrate_to_chat_id: -1005 }),
  );
  await send({ ...sending(text("Hi")), recipient: "-5#7" }, signal);
  expect(api.of("sendMessage")[1]?.body).toMatchObject({ chat_id: "-1005" });
  for (const recipient of ["", "x", "1 2", "7/../getMe", "1".repeat(40)])
    expect(await failure(send({ ...sending(text("Hi")), recipient }, signal))).toMatchObject({ final: true });
});
