import * as v from "valibot";
import { DeliveryError } from "./channel.ts";
import { readLimited } from "./read-limited.ts";
import { retryAfterMs } from "./retry-after.ts";

const callTimeoutMs = 15_000;
/** Of one answer, which repeats the message. */
const mostAnswerBytes = 1024 * 1024;

/** What goes by when it is tried again; every other `error` of Slack's is final. */
const passing = new Set([
  "accesslimited",
  "fatal_error",
  "internal_error",
  "message_limit_exceeded",
  "rate_limited",
  "ratelimited",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
  "unknown_method_temporarily",
]);

/** Why a call of the Web API failed. */
export class SlackError extends DeliveryError {
  /** Slack's own word, such as `channel_not_found`; empty when there was none. */
  readonly code: string;

  constructor(code: string, message: string, details: { final?: boolean; retryAfterMs?: number } = {}) {
    super(message, details);
    this.name = "SlackError";
    this.code = code;
  }
}

const Answer = v.looseObject({
  ok: v.boolean(),
  error: v.optional(v.string(), ""),
  ts: v.optional(v.string()),
});

export type SlackAnswer = v.InferOutput<typeof Answer>;

export interface SlackApi {
  /** Makes one call, in time. Throws `SlackError`, which never holds the token. */
  call(method: string, fields: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<SlackAnswer>;
}

/** The Web API as one bot; `root` is its base URL. */
export function createSlackApi(root: string, token: () => string, now: () => number): SlackApi {
  const base = root.replace(/\/+$/, "");
  return {
    async call(method, fields, signal) {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
      let status = 0;
      let headers = new Headers();
      let text: string;
      try {
        const response = await fetch(`${base}/${method}`, {
          method: "POST",
          headers: { authorization: `Bearer ${token()}`, "content-type": "application/json; charset=utf-8" },
          body: JSON.stringify(fields),
          // It would carry the token elsewhere.
          redirect: "error",
          signal: inTime,
        });
        ({ status, headers } = response);
        text = new TextDecoder().decode(await readLimited(response.body, mostAnswerBytes));
      } catch (error) {
        if (signal.aborted) throw error;
        throw new SlackError(
          "",
          inTime.aborted ? "Slack did not answer in time." : "Slack could not be reached.",
        );
      }
      const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), Answer), text);
      if (status === 200 && answer.success && answer.output.ok) return answer.output;
      const code = answer.success ? answer.output.error.slice(0, 100) : "";
      const wait = retryAfterMs(headers, now());
      throw new SlackError(code, `Slack said ${status}${code === "" ? "" : `, ${code}`} to ${method}.`, {
        final: code !== "" && !passing.has(code) && status < 500 && status !== 429,
        ...(wait !== undefined && { retryAfterMs: wait }),
      });
    },
  };
}
