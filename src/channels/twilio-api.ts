import * as v from "valibot";
import { DeliveryError } from "./channel.ts";
import { readLimited } from "./read-limited.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Of one answer; a message takes about one kilobyte. */
const mostAnswerBytes = 256 * 1024;
const callTimeoutMs = 20_000;

export interface TwilioAccount {
  readonly account: string;
  readonly token: string;
  /** Number that SMS come from, or the id of a messaging service. */
  readonly from: string;
  /** Base URL of the API. */
  readonly api: string;
}

export interface TwilioMessage {
  readonly to: string;
  readonly text: string;
  /** A picture that Twilio fetches. */
  readonly mediaUrl?: string;
  /** Where Twilio tells what became of it. */
  readonly statusCallback?: string;
}

const code = v.nullish(v.union([v.number(), v.pipe(v.string(), v.transform(Number))]));
const Answer = v.object({
  sid: v.nullish(v.string()),
  status: v.nullish(v.union([v.string(), v.number()])),
  /** Of an error. */
  code,
  message: v.nullish(v.string()),
  /** Of a message that was taken and failed at once. */
  error_code: code,
  error_message: v.nullish(v.string()),
});

/**
 * Codes that go by, whatever status they come with: too many requests or messages, a full queue, a fault of Twilio's, an
 * account that is suspended and will be mended by its owner.
 */
const passing = new Set([
  14107, 20003, 20005, 20429, 20500, 20503, 21611, 30001, 30002, 30008, 30022, 63018, 63038,
]);

const isFinal = (status: number, errorCode: number | undefined) => {
  if (errorCode !== undefined && passing.has(errorCode)) return false;
  // Wrong keys are mended by the operator, and what waits goes out then.
  if ([401, 408, 425, 429].includes(status)) return false;
  // Without a code of Twilio's it was perhaps something in between that said no: a firewall, a proxy that asks who we are.
  return errorCode === undefined ? status === 400 || status === 413 : status < 500;
};

export const basicAuth = ({ account, token }: Pick<TwilioAccount, "account" | "token">) =>
  `Basic ${Buffer.from(`${account}:${token}`).toString("base64")}`;

const base = ({ api, account }: TwilioAccount) =>
  `${api.replace(/\/+$/, "")}/2010-04-01/Accounts/${encodeURIComponent(account)}`;

/** Follows no redirect, which would carry the token elsewhere. Throws `DeliveryError` when there is no answer. */
async function ask(url: string, init: RequestInit, signal: AbortSignal) {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: inTime });
    const bytes = await readLimited(response.body, mostAnswerBytes);
    return { response, text: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DeliveryError(
      inTime.aborted ? "Twilio did not answer in time." : "Twilio could not be reached.",
    );
  }
}

function readAnswer(text: string) {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Answer), text);
  return parsed.success ? parsed.output : undefined;
}

/** Sends one message; resolves with its `sid`. Throws `DeliveryError`. */
export async function sendSms(
  account: TwilioAccount,
  message: TwilioMessage,
  signal: AbortSignal,
  now: number,
): Promise<string> {
  const { from } = account;
  const form = new URLSearchParams({
    To: message.to,
    [from.startsWith("MG") ? "MessagingServiceSid" : "From"]: from,
    Body: message.text,
    ...(message.mediaUrl !== undefined && { MediaUrl: message.mediaUrl }),
    ...(message.statusCallback !== undefined && { StatusCallback: message.statusCallback }),
  });
  const init = { method: "POST", headers: { authorization: basicAuth(account) }, body: form };
  const { response, text } = await ask(`${base(account)}/Messages.json`, init, signal);
  const answer = readAnswer(text);
  const failed = answer?.error_code ?? (answer?.sid ? undefined : answer?.code) ?? undefined;
  const sid = answer?.sid ?? undefined;
  if (response.ok && sid !== undefined && failed === undefined) return sid;
  const said = (answer?.error_message ?? answer?.message ?? "no reason given").slice(0, 300);
  const wait = retryAfterMs(response.headers, now);
  throw new DeliveryError(
    `Twilio said ${response.status}${failed === undefined ? "" : ` (${failed})`}: ${said}`,
    {
      final: isFinal(response.status, failed),
      ...(wait !== undefined && { retryAfterMs: wait }),
    },
  );
}

/** The status that the account's own address is answered with. Throws `DeliveryError` when there is no answer. */
export async function askAccount(account: TwilioAccount, signal: AbortSignal): Promise<number> {
  const init = { headers: { authorization: basicAuth(account) } };
  return (await ask(`${base(account)}.json`, init, signal)).response.status;
}
