import { Hono } from "hono";
import { busy, isStopping, publicError } from "../errors.ts";
import * as deliveries from "../store/deliveries.ts";
import { isOptedOut, optIn, optOut } from "../store/opt-outs.ts";
import { noteReceipt } from "../store/outbox.ts";
import { countFailedReceipts } from "../store/outbox-receipts.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { type Channel, type ChannelFinding, DeliveryError, type Inbound, type Inbox } from "./channel.ts";
import { cutText } from "./cut-text.ts";
import type { MakeChannel } from "./make-channel.ts";
import { checkType, deliveryText, readDelivery, unproved } from "./read-delivery.ts";
import { askAccount, sendSms, type TwilioAccount } from "./twilio-api.ts";
import { field, readSms } from "./twilio-inbound.ts";
import { type Fields, isSignedByTwilio, readFields } from "./twilio-signature.ts";
import { optOutAnswers, optOutWord, type OptOutWord } from "./twilio-words.ts";

const name = "sms";
const mostBodyBytes = 64 * 1024;
/** Of one message, in UTF-16 units: what Twilio takes. */
const longestMessage = 1600;
const inboundPath = "/twilio/sms/inbound";
const statusPath = "/twilio/sms/status";
const dayMs = 86_400_000;

/** States of a message that are its last. */
const lastStates = new Set(["delivered", "read", "undelivered", "failed", "canceled"]);

const xml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** TwiML that says nothing, or one message. */
const twiml = (message?: string) =>
  new Response(
    `<?xml version="1.0" encoding="UTF-8"?><Response>${message === undefined ? "" : `<Message>${xml(message)}</Message>`}</Response>`,
    { headers: { "content-type": "text/xml; charset=utf-8" } },
  );

/** What Twilio's own handling of these words has found, and answered already. */
function toldWord(fields: Fields): OptOutWord | undefined {
  const told = field(fields, "OptOutType").toLowerCase();
  return told === "stop" || told === "start" || told === "help" ? told : undefined;
}

/** SMS over Twilio; nothing without its three settings. */
export const makeTwilio: MakeChannel = (settings, { store, now = Date.now }) => {
  const { twilioAccount, twilioToken, twilioFrom, twilioApi, publicUrl } = settings;
  if (twilioAccount === undefined || twilioToken === undefined || twilioFrom === undefined) return undefined;
  const account: TwilioAccount = {
    account: twilioAccount,
    // Read when it is used: it can be replaced while the server runs.
    get token() {
      return settings.twilioToken ?? twilioToken;
    },
    from: twilioFrom,
    api: twilioApi,
  };
  const publicBase = publicUrl?.replace(/\/+$/, "");

  /** The fields of a request that Twilio has signed. */
  async function prove(request: Request, path: string): Promise<Fields> {
    const body = await readDelivery(request, mostBodyBytes);
    const signature = request.headers.get("x-twilio-signature") ?? "";
    const query = /\?[^#]*/.exec(request.url)?.[0] ?? "";
    const url = publicBase === undefined ? request.url : publicBase + path + query;
    const fields = readFields(new TextDecoder().decode(body));
    if (!(await isSignedByTwilio(account.token, signature, { url, fields }))) {
      throw unproved("X-Twilio-Signature");
    }
    checkType(request, "application/x-www-form-urlencoded");
    deliveryText(body);
    return fields;
  }

  /** Does what a word asks for, once for each delivery. */
  const obey = (word: OptOutWord, sender: string, deliveryId: string) =>
    store.write(async (tx) => {
      if (!(await deliveries.remember(tx, name, deliveryId, now()))) return;
      if (word === "stop") await optOut(tx, name, sender, now());
      if (word === "start") await optIn(tx, name, sender);
    });

  /** Twilio says nothing again by itself after a 503: who wrote is told when there is no room, to do it later. */
  async function takeTurn(message: Inbound, channel: Channel, inbox: Inbox): Promise<Response> {
    try {
      await inbox.take(channel, message);
      return twiml();
    } catch (error) {
      if (publicError(error).code !== "busy" && !isStopping(error)) throw error;
      log.warn("an SMS was not taken, and its sender was told so", { delivery: message.deliveryId, error });
      return twiml(busy().message);
    }
  }

  async function takeSms(fields: Fields, channel: Channel, inbox: Inbox): Promise<Response> {
    const message = readSms(fields, account);
    if (message === undefined) {
      log.warn("a request of Twilio was no message: it has no From or MessageSid");
      return twiml();
    }
    const sender = message.sender.id;
    const hasStopped = await store.read((tx) => isOptedOut(tx, name, sender));
    const told = toldWord(fields);
    const word = told ?? optOutWord(field(fields, "Body"), hasStopped);
    if (word !== undefined) {
      await obey(word, sender, message.deliveryId);
      log.info("an SMS was answered by rule", { delivery: message.deliveryId, word });
      return twiml(told === undefined ? optOutAnswers[word] : undefined);
    }
    if (hasStopped) {
      // Its answer could not be sent: the model is not asked for one.
      log.info("an SMS was dropped: its sender has said STOP and not START", {
        delivery: message.deliveryId,
      });
      return twiml();
    }
    if (message.text.trim() === "" && message.attachments === undefined) return twiml();
    return takeTurn(message, channel, inbox);
  }

  async function takeStatus(fields: Fields): Promise<void> {
    const providerId = field(fields, "MessageSid") || field(fields, "SmsSid");
    const state = (field(fields, "MessageStatus") || field(fields, "SmsStatus")).toLowerCase();
    if (providerId === "" || !lastStates.has(state)) return;
    const errorCode = field(fields, "ErrorCode");
    const receipt = /^\d{1,6}$/.test(errorCode) && errorCode !== "0" ? `${state} (${errorCode})` : state;
    const noted = await store.write((tx) => noteReceipt(tx, { channel: name, providerId, receipt }));
    if (!noted) log.info("Twilio told of a message that is not known here", { sms: providerId, state });
  }

  const channel: Channel = {
    name,
    policy: settings.smsPolicy,
    allowedSenders: settings.smsSenders,

    routes(inbox) {
      const app = new Hono();
      app.post(inboundPath, async (c) => takeSms(await prove(c.req.raw, inboundPath), channel, inbox));
      app.post(statusPath, async (c) => {
        await takeStatus(await prove(c.req.raw, statusPath));
        return new Response(null, { status: 204 });
      });
      return app;
    },

    pieces: (answer) =>
      cutText(answer, longestMessage)
        .map((text) => text.trim())
        .filter((text) => text !== "")
        .map((text) => ({ kind: "text", text })),

    async send({ recipient, piece }, signal) {
      if (await store.read((tx) => isOptedOut(tx, name, recipient))) {
        throw new DeliveryError(`${recipient} has said STOP, and not START since.`, { final: true });
      }
      const [first = ""] = cutText(piece.text, longestMessage);
      const isPhoto = piece.kind === "photo";
      const message = {
        to: recipient,
        text: isPhoto ? "" : first,
        ...(isPhoto && { mediaUrl: piece.text }),
        ...(publicBase !== undefined && { statusCallback: publicBase + statusPath }),
      };
      return { id: await sendSms(account, message, signal, now()) };
    },

    async check(signal) {
      const findings: ChannelFinding[] = [];
      const status = await askAccount(account, signal);
      if (status === 200)
        findings.push({ state: "ok", text: `SMS: Twilio knows the account, and ${twilioFrom} sends.` });
      else
        findings.push({
          state: "fail",
          text: `SMS: Twilio answers ${status} for the account ${twilioAccount}: look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.`,
        });
      const failed = await store.read((tx) => countFailedReceipts(tx, name, now() - dayMs));
      if (failed.count > 0)
        findings.push({
          state: "warn",
          text: `SMS: ${failed.count} messages of the last day were taken by Twilio and did not arrive; the last: ${failed.last}.`,
        });
      return findings;
    },
  };
  return channel;
};
