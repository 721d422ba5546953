import * as v from "valibot";
import { DeliveryError, type Sending } from "./channel.ts";
import { cutText } from "./cut-text.ts";
import { type TelegramApi, TelegramError } from "./telegram-api.ts";
import { writeButtons } from "./telegram-buttons.ts";
import { telegramHtml } from "./telegram-html.ts";
import { longestMessage } from "./telegram-pieces.ts";
import { approverOf, readRecipient, target, type TelegramPlace } from "./telegram-recipient.ts";

const Sent = v.object({ message_id: v.pipe(v.number(), v.safeInteger()) });

/** What a model writes must not make Telegram fetch addresses that nobody asked for. */
const noPreview = { link_preview_options: { is_disabled: true } } as const;

type Text = { readonly text: string; readonly parse_mode?: "HTML" };
type Put = (text: Text) => Promise<unknown>;

const says = (error: unknown, words: RegExp): error is TelegramError =>
  error instanceof TelegramError && error.status === 400 && words.test(error.message);

const badHtml =
  /can't parse entities|message is too long|unsupported start tag|text is empty|text must be non-empty/i;
const notChanged = /message is not modified/i;
const noSuchMessage =
  /message to edit not found|message can't be edited|MESSAGE_ID_INVALID|message_id_invalid/i;
const badPhoto =
  /wrong file identifier|failed to get HTTP URL content|wrong type of the web page|PHOTO_INVALID|IMAGE_PROCESS_FAILED|WEBPAGE_/i;

/** Sends the Markdown as HTML, and as it stands where Telegram cannot read that. */
async function putMarkdown(markdown: string, put: Put): Promise<unknown> {
  const plain = { text: cutText(markdown, longestMessage)[0] ?? "" };
  const html = await telegramHtml(markdown);
  if (html === undefined) return put(plain);
  try {
    return await put({ text: html, parse_mode: "HTML" });
  } catch (error) {
    if (!says(error, badHtml)) throw error;
    return put(plain);
  }
}

/** Any other 400 is the same when it is tried again; a token that is wrong may be set right. */
function toDeliveryError(error: unknown): unknown {
  if (!(error instanceof TelegramError)) return error;
  const { status, message, retryAfterMs } = error;
  return new DeliveryError(message, {
    final: status === 400 || status === 403 || status === 413,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

export interface TelegramSender {
  /** Sends one piece, as the contract of channels has it. */
  send(sending: Sending, signal: AbortSignal): Promise<{ id?: string }>;
}

/** `key` signs the data of buttons. */
export function createTelegramSender(api: TelegramApi, key: string): TelegramSender {
  const message = (place: TelegramPlace, signal: AbortSignal) => (text: Text) =>
    api.call("sendMessage", { ...target(place), ...text, ...noPreview }, signal);

  /** Makes the preview the answer; false when there is no such message any more. */
  async function replace(place: TelegramPlace, id: number, markdown: string, signal: AbortSignal) {
    const { chat_id } = target(place);
    const put: Put = (text) =>
      api.call("editMessageText", { chat_id, message_id: id, ...text, ...noPreview }, signal);
    try {
      await putMarkdown(markdown, put);
      return true;
    } catch (error) {
      // It was edited before, and that was not noted.
      if (says(error, notChanged)) return true;
      if (says(error, noSuchMessage)) return false;
      throw error;
    }
  }

  /** A preview that nothing can take the place of; what is left of it does no harm. */
  const remove = ({ chat }: TelegramPlace, id: number, signal: AbortSignal) =>
    api.call("deleteMessage", { chat_id: chat, message_id: id }, signal).catch(() => {});

  async function sendPhoto(place: TelegramPlace, url: string, signal: AbortSignal) {
    try {
      return await api.call("sendPhoto", { ...target(place), photo: url }, signal);
    } catch (error) {
      if (!says(error, badPhoto)) throw error;
      return message(place, signal)({ text: url });
    }
  }

  function ask(place: TelegramPlace, text: string, approvalId: string | undefined, signal: AbortSignal) {
    const asked = approverOf(place);
    const buttons =
      approvalId === undefined || asked === undefined
        ? undefined
        : writeButtons(key, { approvalId, asked, chat: place.chat });
    const question = {
      ...target(place),
      text: cutText(text, longestMessage)[0] ?? "",
      ...noPreview,
      ...(buttons !== undefined && { reply_markup: buttons }),
    };
    return api.call("sendMessage", question, signal);
  }

  async function put(place: TelegramPlace, { piece, replaces }: Sending, signal: AbortSignal) {
    const preview = replaces !== undefined && /^\d{1,15}$/.test(replaces) ? Number(replaces) : undefined;
    if (preview !== undefined && piece.kind === "text") {
      if (await replace(place, preview, piece.text, signal)) return { message_id: preview };
    } else if (preview !== undefined) {
      await remove(place, preview, signal);
    }
    if (piece.kind === "photo") return sendPhoto(place, piece.text, signal);
    if (piece.kind === "approval") return ask(place, piece.text, piece.approvalId, signal);
    return putMarkdown(piece.text, message(place, signal));
  }

  return {
    async send(sending, signal) {
      const place = readRecipient(sending.recipient);
      try {
        const sent = await put(place, sending, signal).catch((error: unknown) => {
          // A group that grew has another number; nothing was sent to the old one.
          if (!(error instanceof TelegramError) || error.movedTo === undefined) throw error;
          return put({ ...place, chat: error.movedTo }, { ...sending, replaces: undefined }, signal);
        });
        const { output, success } = v.safeParse(Sent, sent);
        return success ? { id: String(output.message_id) } : {};
      } catch (error) {
        throw toDeliveryError(error);
      }
    },
  };
}
