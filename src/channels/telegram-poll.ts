import * as v from "valibot";
import { publicError } from "../errors.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { OnlyOne } from "./only-one.ts";
import { type TelegramApi, TelegramError } from "./telegram-api.ts";
import type { Intake, RawUpdate } from "./telegram-intake.ts";
import { Update, wantedUpdates } from "./telegram-update.ts";
import { waitFor } from "./wait-for.ts";
import { webhookInfo } from "./telegram-webhook.ts";

/** How long Telegram keeps a question open when there is nothing new, and how many updates it tells at once. */
const openSeconds = 20;
const mostUpdates = 100;
/** Another process takes over from one that was silent so long: longer than a round takes. */
export const pollLeaseMs = 60_000;

export interface PollPace {
  /** Least time between two answers with nothing in them: a server that does not wait must not be asked without end. */
  readonly idleMs: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** While this server has no room: Telegram itself is well. */
  readonly longestBusyMs: number;
  /** While another process or another server polls. */
  readonly othersMs: number;
}

export const usualPollPace: PollPace = {
  idleMs: 1000,
  firstWaitMs: 1000,
  longestWaitMs: 60_000,
  longestBusyMs: 2000,
  othersMs: 15_000,
};

/** An update that fails in a way that does not look passing is not tried for ever: those behind it would wait. */
const mostTries = 8;

const isPassing = (error: unknown) =>
  error instanceof TelegramError || ["unavailable", "busy"].includes(publicError(error).code);

const Placed = v.object({ message: v.object({ chat: v.object({ id: v.number() }) }) });

/** Updates of one chat are taken one after the other, those of others beside them. */
const chatOf = (update: RawUpdate) => {
  const found = v.safeParse(Placed, update.callback_query ?? update);
  return found.success ? found.output.message.chat.id : "none";
};

/** What was told and is not confirmed yet. */
interface Progress {
  /** The next update that Telegram is asked for: it forgets all before it. */
  offset: number;
  readonly taken: Set<number>;
  readonly tries: Map<number, number>;
}

/** What became of updates: one is left because there is no room, or for another reason. */
type Took = "all" | "busy" | "failed";

/** Takes the updates of one chat in order; stops at one that is to be tried again. */
async function takeInOrder(
  updates: readonly RawUpdate[],
  intake: Intake,
  { taken, tries }: Progress,
): Promise<Took> {
  for (const update of updates) {
    const { update_id: id } = update;
    if (taken.has(id)) continue;
    try {
      await intake.take(update);
    } catch (error) {
      const tried = (tries.get(id) ?? 0) + 1;
      tries.set(id, tried);
      if (isPassing(error) || tried < mostTries) {
        log.warn("a Telegram update could not be taken yet", { update: id, tried, error });
        return publicError(error).code === "busy" ? "busy" : "failed";
      }
      log.error("a Telegram update was given up", { update: id, tried, error });
    }
    taken.add(id);
  }
  return "all";
}

/** Takes what can be taken, and moves the offset up to the first that could not. */
async function takeAll(updates: readonly RawUpdate[], intake: Intake, progress: Progress): Promise<Took> {
  const sorted = updates.toSorted((a, b) => a.update_id - b.update_id);
  const chats = Map.groupBy(sorted, chatOf);
  const took = await Promise.all([...chats.values()].map((own) => takeInOrder(own, intake, progress)));
  const left = sorted.find(({ update_id }) => !progress.taken.has(update_id));
  const last = sorted.at(-1);
  if (last !== undefined) progress.offset = left?.update_id ?? last.update_id + 1;
  for (const id of progress.taken) if (id < progress.offset) progress.taken.delete(id);
  for (const id of progress.tries.keys()) if (id < progress.offset) progress.tries.delete(id);
  return took.find((each) => each === "failed") ?? took.find((each) => each === "busy") ?? "all";
}

async function getUpdates(api: TelegramApi, offset: number, seconds: number, signal: AbortSignal) {
  const asked = { offset, limit: mostUpdates, timeout: seconds, allowed_updates: wantedUpdates };
  const found = await api.call("getUpdates", asked, signal, (seconds + 10) * 1000);
  return v.parse(v.array(v.unknown()), found).flatMap((update) => {
    const read = v.safeParse(Update, update);
    return read.success ? [read.output] : [];
  });
}

/** Telegram tells one place only: who polls takes the webhook away, and says so. */
async function removeWebhook(api: TelegramApi, signal: AbortSignal): Promise<void> {
  const { url } = await webhookInfo(api, signal);
  if (url === "") return;
  log.warn(
    "a webhook is taken away from the Telegram bot, as this server polls: OPENCLAW_PUBLIC_URL is no https address",
    {
      webhook: url,
    },
  );
  await api.call("deleteWebhook", { drop_pending_updates: false }, signal);
}

export interface Polling {
  readonly api: TelegramApi;
  readonly intake: Intake;
  readonly onlyOne: OnlyOne;
  readonly pace?: PollPace;
}

/** Asks Telegram for updates until the signal. An update is confirmed after it was taken, never before. */
export async function pollTelegram(
  { api, intake, onlyOne, pace = usualPollPace }: Polling,
  signal: AbortSignal,
): Promise<void> {
  const progress: Progress = { offset: 0, taken: new Set(), tries: new Map() };
  let waitMs = pace.firstWaitMs;
  let took: Took = "all";

  async function round(): Promise<number> {
    if (!(await onlyOne.isMine())) return pace.othersMs;
    const began = performance.now();
    const updates = await getUpdates(api, progress.offset, took === "all" ? openSeconds : 0, signal);
    took = await takeAll(updates, intake, progress);
    if (took !== "all") return backOff(took === "busy" ? pace.longestBusyMs : pace.longestWaitMs);
    waitMs = pace.firstWaitMs;
    const quick = performance.now() - began < pace.idleMs;
    return updates.length === 0 && quick ? pace.idleMs : 0;
  }

  function backOff(longestMs = pace.longestWaitMs): number {
    const now = Math.min(waitMs, longestMs);
    waitMs = Math.min(waitMs * 2, longestMs);
    return now;
  }

  async function recover(error: unknown): Promise<number> {
    const {
      status,
      message,
      retryAfterMs = 0,
    } = error instanceof TelegramError ? error : { status: 0, message: publicError(error).message };
    if (status === 409 && /webhook/i.test(message) && !/terminated/i.test(message)) {
      await removeWebhook(api, signal);
      return backOff();
    }
    if (status === 409) {
      log.warn("another server polls for this Telegram bot: only one may", { again: pace.othersMs });
      return pace.othersMs;
    }
    log.warn("Telegram could not be asked for messages", { error });
    return Math.max(backOff(), retryAfterMs);
  }

  while (!signal.aborted) {
    try {
      const pauseMs = await round().catch((error) => (signal.aborted ? 0 : recover(error)));
      if (pauseMs > 0) await waitFor(pauseMs, signal);
    } catch (error) {
      log.warn("the webhook of the Telegram bot could not be taken away", { error });
      await waitFor(backOff(), signal);
    }
  }
  await onlyOne.giveUp().catch(() => {});
}
