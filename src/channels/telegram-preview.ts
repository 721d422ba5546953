import * as v from "valibot";
import { channelsLog as log } from "../telemetry/log.ts";
import { endsTurn, type LoggedEvent } from "../turns/turns.ts";
import type { Preview } from "./channel.ts";
import { cutText } from "./cut-text.ts";
import { type TelegramApi, TelegramError } from "./telegram-api.ts";
import { longestMessage } from "./telegram-pieces.ts";
import { isGroup, target, type TelegramPlace } from "./telegram-recipient.ts";

/** How often things may be shown; the limits of the Bot API are one message a second, and 20 a minute in a group. */
export interface PreviewPace {
  readonly typingMs: number;
  readonly privateMs: number;
  readonly groupMs: number;
}

export const usualPace: PreviewPace = { typingMs: 4500, privateMs: 1000, groupMs: 3000 };

/** Whoever ends a preview waits for what is on its way. The first message may take longer: its number is needed. */
const callMs = 4000;
/** Less is not worth a message that pushes a notification. */
const leastText = 20;
/** UTF-16 units of an answer that are kept; more than one message takes. */
const mostKept = 3 * longestMessage;
/** Left alone so long by a refusal that says no time. */
const pauseMs = 30_000;

const Sent = v.object({ message_id: v.pipe(v.number(), v.safeInteger()) });

/** Else it may have been taken, though nobody told us so. */
const isRefusal = (error: unknown) =>
  error instanceof TelegramError && error.status >= 400 && error.status < 500;

/** The text of a turn as it grows: what is said in several steps stands in paragraphs of its own. */
function addTo(text: string, began: number, event: LoggedEvent): { text: string; began: number } {
  if (event.type === "status" && event.code === "step") return { text, began: text.length };
  if (event.type === "status" && event.code === "restarted") return { text: text.slice(0, began), began };
  // Only the beginning is shown.
  if (event.type !== "text" || text.length > mostKept) return { text, began };
  const gap = text !== "" && text.length === began && !text.endsWith("\n") ? "\n\n" : "";
  return { text: text + gap + event.text, began };
}

/** The beginning of a text, as much as one message takes. */
const beginning = (text: string) => {
  const [first = "", ...more] = cutText(
    text.slice(0, longestMessage * 2).toWellFormed(),
    longestMessage - 100,
  );
  return more.length === 0 ? first : `${first.trimEnd()} …`;
};

/** Types from the first event on, then shows the answer as it grows in one message of plain text, begun when `isNext`. */
export function showTelegramPreview(
  api: TelegramApi,
  place: TelegramPlace,
  pace: PreviewPace = usualPace,
  now: () => number = Date.now,
  isNext: () => Promise<boolean> = async () => true,
): Preview {
  const ending = new AbortController();
  const never = new AbortController().signal;
  const everyMs = isGroup(place) ? pace.groupMs : pace.privateMs;
  let said = { text: "", began: 0 };
  let shown = "";
  let messageId: number | undefined;
  /** The first message is on its way, or was taken, or may have been: there is no second one. */
  let begun = false;
  let notBefore = now() + everyMs;
  let sending: Promise<void> | undefined;
  let typing: Promise<void> | undefined;
  let later: ReturnType<typeof setTimeout> | undefined;

  function pause(error: unknown) {
    const wait = error instanceof TelegramError ? (error.retryAfterMs ?? pauseMs) : pauseMs;
    notBefore = now() + wait;
    log.debug("a preview was refused", { error });
  }

  const type = () => {
    if (typing !== undefined || now() + everyMs < notBefore) return;
    typing = api
      .call("sendChatAction", { ...target(place), action: "typing" }, ending.signal, callMs)
      .then(() => {}, pause)
      .finally(() => (typing = undefined));
  };

  async function begin(plain: { readonly text: string }) {
    begun = true;
    try {
      // Not ended by `stop`: a message whose number nobody knows could not be replaced.
      const sent = await api.call("sendMessage", { ...target(place), ...plain }, never);
      messageId = v.parse(Sent, sent).message_id;
    } catch (error) {
      begun = !isRefusal(error);
      throw error;
    }
  }

  async function show(text: string) {
    const plain = { text, link_preview_options: { is_disabled: true } };
    try {
      if (messageId === undefined) {
        if (!(await isNext())) {
          notBefore = now() + everyMs;
          return;
        }
        if (ending.signal.aborted) return;
        await begin(plain);
      } else {
        const edit = { chat_id: place.chat, message_id: messageId, ...plain };
        await api.call("editMessageText", edit, ending.signal, callMs);
      }
      shown = text;
      notBefore = now() + everyMs;
    } catch (error) {
      pause(error);
    }
  }

  function plan() {
    if (ending.signal.aborted || sending !== undefined || later !== undefined) return;
    if (begun && messageId === undefined) return;
    const text = beginning(said.text);
    if (text === shown || text.trim().length < leastText) return;
    const waitMs = Math.max(0, notBefore - now());
    later = setTimeout(() => {
      later = undefined;
      if (ending.signal.aborted) return;
      sending = show(beginning(said.text)).finally(() => {
        sending = undefined;
        plan();
      });
    }, waitMs);
  }

  let timer: ReturnType<typeof setInterval> | undefined;
  /** Begins with the first event: a message that is not taken is never heard of again. */
  const beginTyping = () => {
    if (timer !== undefined) return;
    timer = setInterval(type, pace.typingMs);
    type();
  };
  const endTyping = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const end = () => {
    endTyping();
    clearTimeout(later);
    later = undefined;
  };

  return {
    event({ event }) {
      if (ending.signal.aborted) return;
      if (endsTurn(event)) return end();
      // Now it is the person who is waited for.
      if (event.type === "approval") return endTyping();
      beginTyping();
      said = addTo(said.text, said.began, event);
      if (event.type === "text") plan();
    },
    get messageId() {
      return messageId === undefined ? undefined : String(messageId);
    },
    async stop() {
      ending.abort();
      end();
      await Promise.all([sending, typing]);
    },
    async discard() {
      if (messageId === undefined) return;
      const gone = { chat_id: place.chat, message_id: messageId };
      await api.call("deleteMessage", gone, never).catch((error) => log.debug("a preview stays", { error }));
    },
  };
}
