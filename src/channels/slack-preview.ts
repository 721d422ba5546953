import { channelsLog as log } from "../telemetry/log.ts";
import type { SessionEvent } from "../turns/turns.ts";
import type { Preview } from "./channel.ts";
import { SlackError, type SlackApi } from "./slack-api.ts";
import { type SlackPlace, target } from "./slack-recipient.ts";
import { escapeText } from "./slack-text.ts";

/** Between two edits of a message: more often Slack refuses them. */
const slackEditMs = 1500;
const longestWaitMs = 60_000;
/** Of the growing answer its end is shown, so that one sees it grow. */
const mostShown = 3000;

/** Else it may have been taken, though nobody told us so. */
const isRefusal = (error: unknown) =>
  error instanceof SlackError && (error.code !== "" || error.retryAfterMs !== undefined);

/** A message that shows a growing answer, begun when `isNext`, by edits at most every `editMs`. */
export function slackPreview(
  api: SlackApi,
  place: SlackPlace,
  editMs = slackEditMs,
  isNext: () => Promise<boolean> = async () => true,
): Preview {
  const ended = new AbortController();
  let text = "";
  let shown = "";
  let messageId: string | undefined;
  /** The first message is on its way, or was taken, or may have been: there is no second one. */
  let begun = false;
  let waitMs = editMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let working: Promise<void> | undefined;

  async function begin(fields: object) {
    begun = true;
    try {
      messageId = (await api.call("chat.postMessage", { ...fields }, ended.signal)).ts;
    } catch (error) {
      begun = !isRefusal(error);
      throw error;
    }
  }

  async function show() {
    const said = text;
    const tail = said.length > mostShown ? `…${said.slice(-mostShown).toWellFormed()}` : said;
    const fields = { ...target(place), text: `${escapeText(tail)} …` };
    try {
      if (messageId === undefined && (!(await isNext()) || ended.signal.aborted)) return;
      if (messageId === undefined) await begin(fields);
      else await api.call("chat.update", { ...fields, ts: messageId }, ended.signal);
      shown = said;
      waitMs = editMs;
    } catch (error) {
      if (ended.signal.aborted) return;
      waitMs =
        (error instanceof SlackError ? error.retryAfterMs : undefined) ?? Math.min(waitMs * 2, longestWaitMs);
      // A channel that is gone takes the answer no better: the outbox will say so.
      if (error instanceof SlackError && error.final) ended.abort();
      log.debug("a preview could not be shown", { error });
    }
  }

  function plan() {
    if (begun && messageId === undefined) return;
    if (
      timer !== undefined ||
      working !== undefined ||
      ended.signal.aborted ||
      text.trim() === "" ||
      text === shown
    )
      return;
    timer = setTimeout(() => {
      timer = undefined;
      working = show().finally(() => {
        working = undefined;
        plan();
      });
    }, waitMs);
  }

  return {
    event({ event }: SessionEvent) {
      if (event.type === "text") text += event.text;
      // Another step: what was said before it is not the answer.
      if (event.type === "tool_start") text = "";
      plan();
    },
    get messageId() {
      return messageId;
    },
    async stop() {
      clearTimeout(timer);
      // The first message is waited for, or its answer would be sent a second time beside it.
      if (messageId !== undefined) ended.abort();
      await working;
      ended.abort();
      clearTimeout(timer);
    },
    async discard() {
      if (messageId === undefined) return;
      const gone = { channel: place.channel, ts: messageId };
      const never = new AbortController().signal;
      await api.call("chat.delete", gone, never).catch((error) => log.debug("a preview stays", { error }));
    },
  };
}
