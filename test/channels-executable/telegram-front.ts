import * as v from "valibot";
import { startTelegramServer } from "../channels/telegram-test-api.ts";

/** How the Bot API says no: by its `error_code` (as HTTP says it too, or with `sentAs`), or not at all until the client goes. */
export type Refusal =
  { readonly status: number; readonly retryAfter?: number; readonly sentAs?: number } | "hang" | undefined;

export interface FrontOptions {
  /** Hears what arrives in a chat, before it is answered; `before` is what the message said that this is an edit of. */
  readonly arrived?: (chat: string, text: string, before?: string) => void;
  /** What becomes of the call of this number, from 1, that says something; what is refused has not arrived. */
  readonly refuse?: (count: number, chat: string) => Refusal;
  /** How long it takes at most to say that it took a message. */
  readonly slowMs?: number;
}

const token = "4711:a-token-of-the-test-api";
const secret = "a-secret-of-telegram";

const MessageId = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const Said = v.looseObject({
  chat_id: v.union([v.string(), v.number()]),
  text: v.string(),
  message_id: v.optional(MessageId),
});
const Sent = v.object({ result: v.object({ message_id: MessageId }) });
const Asked = v.looseObject({ offset: v.optional(v.number(), 0), timeout: v.optional(v.number(), 0) });
const Told = v.looseObject({ update_id: v.number() });

/** Resolves when a server has heard what came to it on other connections before. */
export async function heardOut(url: string): Promise<void> {
  for (let at = 0; at < 3; at++) await (await fetch(url, { headers: { connection: "close" } })).arrayBuffer();
}

const granted = (result: unknown) => Response.json({ ok: true, result });

const until = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

async function refused(refusal: Exclude<Refusal, undefined>, signal: AbortSignal): Promise<Response> {
  if (refusal === "hang") {
    await until(signal);
    return new Response();
  }
  const { status: error_code, retryAfter: retry_after, sentAs = error_code } = refusal;
  const parameters = retry_after === undefined ? {} : { retry_after };
  return Response.json({ ok: false, error_code, description: "Scripted", parameters }, { status: sentAs });
}

/**
 * The Bot API: telegram-test-api, which nobody here wrote, behind a door that adds what it lacks (updates stay until
 * they are confirmed by an offset, webhooks have a secret, a few methods) and refuses what a test wants refused.
 */
export async function startTelegram({ arrived, refuse, slowMs = 0 }: FrontOptions = {}) {
  const api = await startTelegramServer({ storeTimeout: 3600 });
  let webhook: object = { url: "" };
  let asked = 0;
  let unconfirmed: v.InferOutput<typeof Told>[] = [];
  /** What each message says. */
  const said = new Map<string, string>();

  /** Told again until the bot asks for what comes behind. */
  async function getUpdates(body: unknown, signal: AbortSignal): Promise<Response> {
    const { offset, timeout } = v.parse(Asked, body);
    for (const deadline = performance.now() + timeout * 1000; ;) {
      unconfirmed.push(...v.parse(v.array(Told), api.getUpdates(token)));
      unconfirmed = unconfirmed.filter(({ update_id }) => update_id >= offset);
      if (unconfirmed.length > 0 || signal.aborted || performance.now() > deadline)
        return granted(unconfirmed.slice(0, 100));
      await Bun.sleep(5);
    }
  }

  /** As telegram-test-api does it. */
  const passOn = async (method: string, body: string) => {
    const headers = { "content-type": "application/json" };
    const url = `${api.config.apiURL}/bot${token}/${method}`;
    const answer = await fetch(url, { method: "POST", headers, body: body === "" ? "{}" : body });
    return new Response(await answer.text(), { status: answer.status });
  };

  async function say(method: string, body: string, signal: AbortSignal): Promise<Response> {
    const { chat_id, text, message_id } = v.parse(Said, JSON.parse(body));
    const refusal = refuse?.(++asked, String(chat_id));
    if (refusal !== undefined) return refused(refusal, signal);
    arrived?.(String(chat_id), text, message_id === undefined ? undefined : said.get(message_id));
    const answer = await passOn(method, body);
    const sent = v.safeParse(Sent, await answer.clone().json());
    if (sent.success) said.set(sent.output.result.message_id, text);
    if (slowMs > 0) await Bun.sleep(Math.random() * slowMs);
    return answer;
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 60,
    async fetch(request) {
      const method = new URL(request.url).pathname.slice(`/bot${token}/`.length);
      const body = await request.text();
      const { signal } = request;
      if (method === "getUpdates") return getUpdates(body === "" ? {} : JSON.parse(body), signal);
      if (method === "sendMessage" || method === "editMessageText") return say(method, body, signal);
      if (method === "getWebhookInfo") return granted(webhook);
      if (method === "setWebhook") webhook = JSON.parse(body);
      if (["setWebhook", "deleteWebhook", "setMyCommands", "sendChatAction"].includes(method))
        return granted(true);
      return passOn(method, body);
    },
  });

  return {
    api,
    /** Turns Telegram on. */
    env: {
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_WEBHOOK_SECRET: secret,
      OPENCLAW_TELEGRAM_API_URL: server.url.origin,
    },
    /** Resolves when all has arrived that was sent here before, also by a client that is gone. */
    heardOut: () => heardOut(`${server.url.origin}/bot${token}/getWebhookInfo`),
    client: (id: number) => api.getClient(token, { userId: id, chatId: id, interval: 10, timeout: 20_000 }),
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await api.stop();
    },
  };
}

/** An update with a message of a private chat, as Telegram delivers it to a webhook. */
export const anUpdate = (of: { id: number; chat: number; text?: string; more?: object }): RequestInit => ({
  method: "POST",
  headers: { "x-telegram-bot-api-secret-token": secret, "content-type": "application/json" },
  body: JSON.stringify({
    update_id: of.id,
    message: {
      message_id: of.id,
      date: 1,
      from: { id: of.chat, is_bot: false, first_name: "Ada" },
      chat: { id: of.chat, type: "private" },
      text: of.text,
      ...of.more,
    },
  }),
});
