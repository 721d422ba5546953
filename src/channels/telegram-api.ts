import type { RawApi } from "grammy/web";
import * as v from "valibot";
import { readLimited } from "./read-limited.ts";

/** Why a call of the Bot API failed. */
export class TelegramError extends Error {
  /** The `error_code` of its answer; 0 when there was none. */
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** The number that a group has now. */
  readonly movedTo: string | undefined;

  constructor(status: number, message: string, details: { retryAfterMs?: number; movedTo?: string } = {}) {
    super(message);
    this.name = "TelegramError";
    this.status = status;
    this.retryAfterMs = details.retryAfterMs;
    this.movedTo = details.movedTo;
  }
}

export interface TelegramMe {
  readonly id: number;
  readonly username: string;
}

/** What a method of the Bot API takes; undefined for those that take nothing. */
export type Payload<Method extends keyof RawApi> = Parameters<RawApi[Method]>[0];

/** The Bot API as one bot. */
export interface TelegramApi {
  /** Makes one call, in time; what it resolves with is for a schema. Throws `TelegramError`, which never holds the token. */
  call<Method extends keyof RawApi>(
    method: Method,
    payload: Payload<Method>,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<unknown>;
  /** Who the bot is; asked for once. */
  me(signal: AbortSignal): Promise<TelegramMe>;
  /** The bytes behind the path that `getFile` told. Throws `payload_too_large` beyond `maxBytes`. */
  download(path: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

const callTimeoutMs = 15_000;
const downloadTimeoutMs = 60_000;
/**
 * Of one answer, a hundred updates: a reply to a long message takes 100 KB, as beyond ASCII each UTF-16 unit is written in
 * six bytes. What is too long would stop the polling for good.
 */
const mostAnswerBytes = 100 * 256 * 1024;

const Me = v.object({ id: v.pipe(v.number(), v.safeInteger()), username: v.optional(v.string(), "") });

/** What grammY throws for an answer that says no. */
const Refused = v.object({
  error_code: v.number(),
  description: v.optional(v.string(), "no reason given"),
  parameters: v.optional(
    v.object({ retry_after: v.optional(v.number()), migrate_to_chat_id: v.optional(v.number()) }),
    {},
  ),
});

type Methods = Record<keyof RawApi, (...args: readonly unknown[]) => Promise<unknown>>;

/** Telegram's own words, or that there were none. */
function toTelegramError(error: unknown, signal: AbortSignal): TelegramError {
  const refused = v.safeParse(Refused, error);
  if (!refused.success) {
    // The words of a failed request may hold its address, and so the token.
    const late = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
    return new TelegramError(0, late ? "Telegram did not answer in time." : "Telegram could not be reached.");
  }
  const { error_code, description, parameters } = refused.output;
  const { retry_after, migrate_to_chat_id } = parameters;
  return new TelegramError(error_code, `Telegram said ${error_code}: ${description.slice(0, 300)}`, {
    ...(retry_after !== undefined && { retryAfterMs: Math.max(0, retry_after) * 1000 }),
    ...(migrate_to_chat_id !== undefined && { movedTo: String(migrate_to_chat_id) }),
  });
}

/** Follows no redirect, which would carry the token elsewhere, and reads no answer without end. */
const limitedFetch = async (url: string | URL | Request, init?: RequestInit) => {
  const response = await fetch(url, { ...init, redirect: "error" });
  const bytes = await readLimited(response.body, mostAnswerBytes);
  return new Response(bytes, { status: response.status });
};

/** `root` is the base URL of the Bot API. grammY is imported with the first call. */
export function createTelegramApi(root: string, token: string): TelegramApi {
  const apiRoot = root.replace(/\/+$/, "");
  let client: Promise<{ readonly raw: Methods }> | undefined;
  let me: Promise<TelegramMe> | undefined;

  async function load() {
    const grammy = await import("grammy/web");
    const { raw } = new grammy.Api(token, { apiRoot, fetch: limitedFetch });
    // Its types name the signal of a package that stands in for ours on old versions of Node. It has every property, so
    // `then` too: no promise may resolve with it.
    return { raw: raw as unknown as Methods };
  }

  const call: TelegramApi["call"] = async (method, payload, signal, timeoutMs = callTimeoutMs) => {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const { raw } = await (client ??= load());
    try {
      return await (payload === undefined ? raw[method](inTime) : raw[method](payload, inTime));
    } catch (error) {
      throw toTelegramError(error, inTime);
    }
  };

  return {
    call,
    me(signal) {
      me ??= call("getMe", undefined, signal).then((found) => v.parse(Me, found));
      me.catch(() => (me = undefined));
      return me;
    },
    async download(path, maxBytes, signal) {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]);
      const at = path.split("/").map(encodeURIComponent).join("/");
      const response = await fetch(`${apiRoot}/file/bot${token}/${at}`, {
        redirect: "error",
        signal: inTime,
      }).catch((error) => {
        throw toTelegramError(error, inTime);
      });
      if (response.ok) return readLimited(response.body, maxBytes);
      void response.body?.cancel().catch(() => {});
      throw new TelegramError(response.status, `Telegram answered ${response.status} for a file.`);
    },
  };
}
