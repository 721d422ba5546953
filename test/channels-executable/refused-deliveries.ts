import { createHmac } from "node:crypto";
import { anSms } from "../channels/a-twilio.ts";
import { aPost } from "./senders.ts";
import { anUpdate } from "./telegram-front.ts";

/** What must not get through the doors of channels, and what it is answered with. */

const slackSecret = "a-signing-secret";

export const slackEnv = { SLACK_BOT_TOKEN: "xoxb-token", SLACK_SIGNING_SECRET: slackSecret };

/** An event as Slack signs it, `late` seconds ago. */
export function anEvent(event: object, late = 0): RequestInit {
  const at = Math.floor(Date.now() / 1000) - late;
  const body = JSON.stringify(event);
  const signed = createHmac("sha256", slackSecret).update(`v0:${at}:${body}`).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-slack-request-timestamp": `${at}`,
    "x-slack-signature": `v0=${signed}`,
  };
  return { method: "POST", headers, body };
}

export interface Bad {
  readonly what: string;
  readonly path: string;
  readonly init: RequestInit;
  readonly status: number;
}

const paths = { telegram: "/telegram/inbound", sms: "/twilio/sms/inbound", slack: "/slack/events" };
const update = anUpdate({ id: 1, chat: 7, text: "hello" });
const sms = anSms({ id: "SM1", from: "+15005550001", text: "hello" });
const post = aPost('{"event":"hello"}');
const event = anEvent({ type: "event_callback", event_id: "Ev1", event: {} });

const kilobytes = 1024;
const bodyOf = (init: RequestInit) => String(init.body);
const cut = (init: RequestInit): RequestInit => ({ ...init, body: bodyOf(init).slice(0, -3) });
const withHeaders = (init: RequestInit, headers: object): RequestInit => ({
  ...init,
  headers: { ...(init.headers as Record<string, string>), ...headers },
});
/** An update that is exactly so large. */
function sized(bytes: number): RequestInit {
  const empty = bodyOf(anUpdate({ id: 2, chat: 7, text: "" })).length;
  return anUpdate({ id: 2, chat: 7, text: "x".repeat(bytes - empty) });
}
const raw = (body: string) => ({ ...update, body });

/** Without their proof: ten from one address are heard within a minute. */
export const forged: readonly Bad[] = [
  {
    what: "Telegram, forged",
    path: paths.telegram,
    init: withHeaders(update, { "x-telegram-bot-api-secret-token": "wrong" }),
    status: 401,
  },
  {
    what: "Telegram, unsigned",
    path: paths.telegram,
    init: { method: "POST", body: bodyOf(update) },
    status: 401,
  },
  {
    what: "SMS, forged",
    path: paths.sms,
    init: withHeaders(sms, { "x-twilio-signature": "AAAA" }),
    status: 401,
  },
  { what: "SMS, cut", path: paths.sms, init: cut(sms), status: 401 },
  {
    what: "SMS, with a field twice",
    path: paths.sms,
    init: { ...sms, body: `${bodyOf(sms)}&From=%2B15005559999` },
    status: 401,
  },
  {
    what: "webhook, forged",
    path: "/webhooks/one",
    init: aPost('{"event":"hello"}', "another secret"),
    status: 401,
  },
  { what: "webhook, cut", path: "/webhooks/one", init: cut(post), status: 401 },
  {
    what: "Slack, of an hour ago",
    path: paths.slack,
    init: anEvent({ type: "event_callback" }, 3600),
    status: 401,
  },
  { what: "Slack, cut", path: paths.slack, init: cut(event), status: 401 },
];

/** With their proof, and still nothing to work on. */
export const unusable: readonly Bad[] = [
  { what: "Telegram, 64 KB and one", path: paths.telegram, init: sized(64 * kilobytes + 1), status: 413 },
  { what: "Telegram, cut", path: paths.telegram, init: cut(update), status: 400 },
  {
    what: "Telegram, as a form",
    path: paths.telegram,
    init: withHeaders(update, { "content-type": "text/plain" }),
    status: 415,
  },
  {
    what: "Telegram, no UTF-8",
    path: paths.telegram,
    init: { ...update, body: new Uint8Array([0x7b, 0xff, 0x7d]) },
    status: 400,
  },
  { what: "Telegram, a list", path: paths.telegram, init: raw("[]"), status: 400 },
  {
    what: "SMS, 64 KB and one",
    path: paths.sms,
    init: { ...sms, body: "x".repeat(64 * kilobytes + 1) },
    status: 413,
  },
  {
    what: "webhook, 128 KB and one",
    path: "/webhooks/one",
    init: aPost("x".repeat(128 * kilobytes + 1)),
    status: 413,
  },
  { what: "a webhook that is not there", path: "/webhooks/three", init: post, status: 404 },
  { what: "a webhook by a name of objects", path: "/webhooks/constructor", init: post, status: 404 },
];

/** Acknowledged, so that they do not come again, and no message. */
export const ignored: readonly Bad[] = [
  {
    what: "Telegram, an unknown kind",
    path: paths.telegram,
    init: raw('{"update_id":3,"chat_boost":{}}'),
    status: 200,
  },
  {
    what: "Telegram, a message of another shape",
    path: paths.telegram,
    init: raw('{"update_id":4,"message":{"text":7}}'),
    status: 200,
  },
  {
    what: "Telegram, an edited message",
    path: paths.telegram,
    init: raw('{"update_id":5,"edited_message":{"text":"hi"}}'),
    status: 200,
  },
  {
    what: "SMS, without anything in it",
    path: paths.sms,
    init: anSms({ id: "SM9", from: "+15005550001", text: "" }),
    status: 200,
  },
  {
    what: "Slack, an unknown kind",
    path: paths.slack,
    init: anEvent({ type: "event_callback", event_id: "Ev2", event: { type: "weather" } }),
    status: 200,
  },
];
