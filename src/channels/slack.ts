import { Hono } from "hono";
import * as v from "valibot";
import { channelsLog as log } from "../telemetry/log.ts";
import type { Channel, Inbound, Inbox, Sending } from "./channel.ts";
import type { MakeChannel } from "./make-channel.ts";
import { checkType, deliveryJson, deliveryText, readDelivery, unproved } from "./read-delivery.ts";
import { isSignedBySlack } from "./signatures.ts";
import { createSlackApi, SlackError } from "./slack-api.ts";
import { decidedBlocks, type Pressed, questionBlocks, readPressed } from "./slack-buttons.ts";
import { readMessage, SlackEvent } from "./slack-inbound.ts";
import { slackPreview } from "./slack-preview.ts";
import { placeOf, readRecipient, target } from "./slack-recipient.ts";
import { escapeText, slackPieces, toMrkdwn } from "./slack-text.ts";

const name = "slack";
/** A message of 40,000 characters comes twice in its event: as text, and as blocks. */
const mostBodyBytes = 512 * 1024;
const tellTimeoutMs = 15_000;

/** Edits that fail for good, though a new message may still be sent. */
const notEditable = new Set([
  "message_not_found",
  "cant_update_message",
  "edit_window_closed",
  "msg_too_long",
]);

/** Nothing that a model wrote is looked up by Slack, and no name in it becomes a mention. */
const plain = { unfurl_links: false, unfurl_media: false, link_names: false } as const;

/** Slack; nothing without the bot's token and the signing secret. */
export const makeSlack: MakeChannel = (settings, { now = Date.now }) => {
  const { slackToken, slackSecret, slackApi } = settings;
  if (slackToken === undefined || slackSecret === undefined) return undefined;
  // Both are read when they are used: they can be replaced while the server runs.
  const api = createSlackApi(slackApi, () => settings.slackToken ?? slackToken, now);

  /** The text of a request that Slack has signed. */
  async function prove(request: Request): Promise<string> {
    const body = await readDelivery(request, mostBodyBytes);
    if (
      !isSignedBySlack({
        headers: request.headers,
        body,
        secrets: [settings.slackSecret ?? slackSecret ?? ""],
        now: now(),
      })
    )
      throw unproved("X-Slack-Signature or X-Slack-Request-Timestamp");
    return deliveryText(body);
  }

  async function takeEvent(text: string, channel: Channel, inbox: Inbox): Promise<Response> {
    const parsed = v.safeParse(SlackEvent, deliveryJson(text));
    // Of kinds that are not known nothing is wanted, and repeating them would not help.
    if (!parsed.success) return new Response(null, { status: 200 });
    if (parsed.output.type === "url_verification")
      return Response.json({ challenge: parsed.output.challenge });
    const message = readMessage(parsed.output, { token: settings.slackToken ?? "", api: slackApi });
    if (message === undefined) return new Response(null, { status: 200 });
    if (approvesForOthers(message)) tellAlone(message);
    else await inbox.take(channel, message);
    return new Response(null, { status: 200 });
  }

  /** In a thread all speak for one session: a written decision could be somebody else's. */
  const approvesForOthers = ({ principal, sessionId, text }: Inbound) =>
    principal === sessionId && /^\/\s*approve\b/i.test(text);

  /** Says something behind the answer to Slack, which waits three seconds only; who misses it can ask again. */
  const tell = (method: string, fields: Readonly<Record<string, unknown>>) =>
    void api
      .call(method, fields, AbortSignal.timeout(tellTimeoutMs))
      .catch((error) => log.warn("Slack could not be told", { method, error }));

  const tellAlone = ({ recipient, sender }: Inbound) =>
    tell("chat.postEphemeral", {
      ...target(readRecipient(recipient)),
      user: sender.id,
      text: "Use the buttons under the question: in a thread only who was asked may decide.",
    });

  async function decide(pressed: Pressed, asked: Channel, inbox: Inbox): Promise<void> {
    const { by, asker, approvalId, approved, scope, channel, thread, ts, question } = pressed;
    const place = { channel, ...(thread !== undefined && { thread_ts: thread }) };
    const alone = (text: string) => tell("chat.postEphemeral", { ...place, user: by, text });
    if (by !== asker) return alone(`Approval id is not valid for this sender/channel: ${approvalId}`);
    const principal = channel.startsWith("D") ? `slack:${by}` : `slack:${channel}:${thread ?? ts}`;
    const verdict = await inbox.decide(asked, { senderId: by, principal }, approvalId, approved, scope);
    if (!verdict.startsWith("Tool approval recorded")) return alone(escapeText(verdict));
    const text = `${escapeText(verdict)} by <@${by}>`;
    tell("chat.update", { channel, ts, text: `${question}\n${text}`, blocks: decidedBlocks(question, text) });
  }

  async function post({ recipient, piece, replaces }: Sending, signal: AbortSignal) {
    const place = readRecipient(recipient);
    const { asker } = place;
    const isQuestion = piece.kind === "approval" && piece.approvalId !== undefined && asker !== undefined;
    const fields = {
      ...target(place),
      ...plain,
      ...(isQuestion
        ? { text: escapeText(piece.text), blocks: questionBlocks(piece.text, piece.approvalId ?? "", asker) }
        : { text: toMrkdwn(piece.text) }),
    };
    if (replaces !== undefined) {
      try {
        return await api.call("chat.update", { ...fields, ts: replaces }, signal);
      } catch (error) {
        if (!(error instanceof SlackError) || !notEditable.has(error.code)) throw error;
      }
    }
    return api.call("chat.postMessage", fields, signal);
  }

  const channel: Channel = {
    name,
    policy: settings.slackPolicy,
    allowedSenders: settings.slackSenders,

    routes(inbox) {
      const app = new Hono();
      app.post("/slack/events", async (c) => {
        const text = await prove(c.req.raw);
        const type = checkType(c.req.raw, "application/json", "application/x-www-form-urlencoded");
        if (type === "application/json") return takeEvent(text, channel, inbox);
        const pressed = readPressed(deliveryJson(new URLSearchParams(text).get("payload") ?? ""));
        if (pressed !== undefined) await decide(pressed, channel, inbox);
        return new Response(null, { status: 200 });
      });
      return app;
    },

    pieces: slackPieces,
    placeOf,

    async send(sending, signal) {
      const { ts } = await post(sending, signal);
      return ts === undefined ? {} : { id: ts };
    },

    preview: (recipient, isNext) => slackPreview(api, readRecipient(recipient), undefined, isNext),

    async check(signal) {
      try {
        const answer = await api.call("auth.test", {}, signal);
        return [
          { state: "ok", text: `Slack: the bot is ${String(answer["user"])} of ${String(answer["team"])}.` },
        ];
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return [{ state: "fail", text: `Slack: ${why} Look at SLACK_BOT_TOKEN.` }];
      }
    },
  };
  return channel;
};
