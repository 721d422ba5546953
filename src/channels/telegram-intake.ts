import * as v from "valibot";
import { verdictText } from "../agent/plain-text.ts";
import { isSessionBusy } from "../errors.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { Channel, Inbound, Inbox, Taken } from "./channel.ts";
import { cutText } from "./cut-text.ts";
import type { Albums, TakeAlbum } from "./telegram-albums.ts";
import type { Payload, TelegramApi } from "./telegram-api.ts";
import { readButton } from "./telegram-buttons.ts";
import { readAttachments } from "./telegram-files.ts";
import { readMessage } from "./telegram-inbound.ts";
import { longestMessage } from "./telegram-pieces.ts";
import { readRecipient, target } from "./telegram-recipient.ts";
import { Message, Press, type User } from "./telegram-update.ts";
import { nameOf } from "./telegram-words.ts";

/** An update by its number, before it is known what is in it. */
export interface RawUpdate {
  readonly update_id: number;
  readonly message?: unknown;
  readonly callback_query?: unknown;
}

export interface Intake {
  /** Resolves when the update is on disk or is nothing for us; what it throws is a reason to be told again. */
  take(update: RawUpdate): Promise<void>;
  readonly takeAlbum: TakeAlbum;
}

type ShownBy = "sendMessage" | "editMessageText" | "editMessageReplyMarkup" | "answerCallbackQuery";

/** A note under a button, in UTF-16 units. */
const longestNote = 200;

/** Hands to the inbox what comes by webhook or by polling. */
export function createIntake(of: {
  readonly channel: Channel;
  readonly inbox: Inbox;
  readonly albums: Albums;
  readonly api: TelegramApi;
  readonly key: string;
  readonly signal: AbortSignal;
}): Intake {
  const { channel, inbox, albums, api, key, signal } = of;

  /** What is shown beside what counts: when it fails nothing is lost. */
  const show = <Method extends ShownBy>(method: Method, payload: Payload<Method>) =>
    void api
      .call(method, payload, signal)
      .catch((error) => log.debug("Telegram showed less", { method, error }));

  const drop = (id: number | string, why: string) =>
    log.debug("a Telegram update is not for us", { update: id, why });

  /** Whose own line is full is told so, and may say it again: to wait for it would hold up all others. */
  async function takeTurn(inbound: Inbound): Promise<Taken["kind"]> {
    try {
      return (await inbox.take(channel, inbound)).kind;
    } catch (error) {
      if (!isSessionBusy(error)) throw error;
      show("sendMessage", { ...target(readRecipient(inbound.recipient)), text: error.message });
      return "refused";
    }
  }

  async function takeRead(
    deliveryId: string,
    messages: readonly [Message, ...Message[]],
    also?: Inbound["also"],
  ): Promise<Taken["kind"]> {
    const reading = await readMessage(deliveryId, messages, {
      me: () => api.me(signal),
      attachments: (from) => readAttachments(api, from),
    });
    if (reading.kind === "turn") return takeTurn({ ...reading.inbound, ...(also && { also }) });
    if (reading.kind === "ignored") drop(deliveryId, reading.why);
    else show("sendMessage", { ...target(reading.place), text: reading.text });
    return "refused";
  }

  const takeAlbum: TakeAlbum = takeRead;

  async function takeMessage(updateId: number, found: unknown) {
    const message = v.safeParse(Message, found);
    if (!message.success) return drop(updateId, "it has another shape");
    const { media_group_id: album, chat } = message.output;
    if (album !== undefined) return albums.hold(updateId, message.output);
    await albums.settle(chat.id, takeAlbum);
    await takeRead(String(updateId), [message.output]);
  }

  /** Shows the decision under the question and takes the buttons away. */
  function close({ message }: Press, line: string) {
    if (message === undefined) return;
    const { chat, message_id, text = "" } = message;
    const [question = ""] = cutText(text, longestMessage - line.length - 2);
    const edited = `${question}\n\n${line}`.trim();
    show("editMessageText", {
      chat_id: chat.id,
      message_id,
      text: edited,
      link_preview_options: { is_disabled: true },
    });
  }

  async function decide(press: Press): Promise<string> {
    const { from, data, message } = press;
    if (message === undefined) return "This button is too old: use /approve.";
    const pressed = readButton(key, data, { presser: String(from.id), chat: String(message.chat.id) });
    if (pressed === "not_ours") return "This button is not known here.";
    if (pressed === "not_yours") return "Only the one who asked can decide this.";
    const { approvalId, approved, scope } = pressed;
    const by = { senderId: String(from.id), principal: `telegram:${message.chat.id}` };
    const said = await inbox.decide(channel, by, approvalId, approved, scope);
    if (said === verdictText("recorded", approvalId, approved))
      close(press, decisionLine(from, approved, scope));
    // Decided elsewhere, or this press is told again: what stands there stays.
    if (said === verdictText("unknown", approvalId, approved))
      show("editMessageReplyMarkup", { chat_id: message.chat.id, message_id: message.message_id });
    return said;
  }

  async function takePress(updateId: number, found: unknown) {
    const press = v.safeParse(Press, found);
    if (!press.success) return drop(updateId, "it has another shape");
    const { from, id } = press.output;
    if (from.is_bot) return drop(updateId, "a bot pressed it");
    const text = cutText(await decide(press.output), longestNote)[0] ?? "";
    show("answerCallbackQuery", { callback_query_id: id, text });
  }

  return {
    takeAlbum,
    async take({ update_id, message, callback_query }) {
      if (message !== undefined) return takeMessage(update_id, message);
      if (callback_query !== undefined) return takePress(update_id, callback_query);
      drop(update_id, "it is of a kind that we do not take");
    },
  };
}

const decisionLine = (by: User, approved: boolean, scope: "once" | "session") =>
  `${approved ? "✅ Approved" : "❌ Denied"} by ${nameOf(by)}${approved && scope === "session" ? " for this session" : ""}.`;
