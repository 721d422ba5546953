import type { Store } from "../store/open.ts";
import type { Line, OutboxRow } from "../store/outbox.ts";
import * as lines from "../store/outbox-lines.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import { attempt, longestRetryAfterMs } from "./attempt.ts";
import type { Channels } from "./deliver.ts";
import { createPlaces } from "./places.ts";

export interface OutboxParts {
  readonly store: Store;
  readonly channels: Channels;
  readonly giveUpMs: number;
  /** True when no other process shares the store: what is held then is held by nobody that lives. */
  readonly alone: boolean;
  /** Ends the preview of a turn before its answer is sent, and says which message shows it. */
  readonly settle?: (turnId: string) => Promise<string | undefined>;
  readonly now?: () => number;
  readonly timeoutMs?: number;
}

export interface Outbox {
  /** Something may be there to send. */
  wake(): void;
  /** Begins to send what waits. */
  start(): Promise<void>;
  /** Begins nothing more, waits at most `ms` for what is under way, then ends it. */
  stop(ms: number): Promise<void>;
}

/** Recipients of one channel that are written to at once: a provider that hangs holds up no other. */
const atOnce = 16;
/** Longer than a try and what is written down of it; the clocks of two processes may differ by the rest. */
const leaseMs = 60_000;
const sendTimeoutMs = 30_000;
/** After a fault of the store, and never less often while something waits: clocks may jump. */
const lookAgainMs = 2000;
const longestSleepMs = 60_000;
/** A clock that goes back further was ahead, and was set right. */
const leastSetBackMs = 60_000;

const keyOf = ({ channel, recipient }: Line) => `${channel} ${recipient}`;

/** Sends the rows of the outbox: in order for each recipient, side by side for different ones. */
export function createOutbox(parts: OutboxParts): Outbox {
  const { store, channels, giveUpMs, now = Date.now, timeoutMs = sendTimeoutMs } = parts;
  const owner = Bun.randomUUIDv7();
  const stopped = new AbortController();
  const places = createPlaces(channels);
  const active = new Map<string, { readonly channel: string; readonly work: Promise<void> }>();
  let running = false;
  let looking: Promise<void> | undefined;
  let again = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lookedAt: number | undefined;

  const hold = () => ({ owner, now: now(), leaseMs });

  function sleep(ms: number) {
    clearTimeout(timer);
    // Nothing lives on for what waits: it waits on disk.
    if (running) timer = setTimeout(wake, Math.min(Math.max(ms, 10), longestSleepMs)).unref();
  }

  function wake() {
    if (!running) return;
    again = true;
    looking ??= lookAll().finally(() => {
      looking = undefined;
      if (again) wake();
    });
  }

  async function lookAll() {
    while (again && running) {
      again = false;
      try {
        await look();
      } catch (error) {
        log.warn("what is to be sent cannot be read yet", { error });
        return sleep(lookAgainMs);
      }
    }
  }

  /** Nothing waits for a time that a wrong clock has counted: that of this process, or at the start of an earlier one. */
  async function heedClock() {
    const at = now();
    const wasAhead = lookedAt !== undefined && at < lookedAt - leastSetBackMs;
    if (wasAhead || lookedAt === undefined) {
      const latest = wasAhead ? at : at + longestRetryAfterMs;
      await store.write((tx) => lines.endWaits(tx, { now: at, latest }));
    }
    if (wasAhead) places.forget();
    lookedAt = at;
  }

  async function look() {
    await heedClock();
    // Another process may end with something that it did not send.
    let next = parts.alone ? Number.POSITIVE_INFINITY : now() + longestSleepMs;
    for (const name of channels.keys()) {
      const room = atOnce - [...active.values()].filter(({ channel }) => channel === name).length;
      // Who ends wakes the next.
      if (room <= 0) continue;
      const due = await store.read((tx) => lines.due(tx, name, now(), room));
      for (const line of due) begin(line);
      next = Math.min(next, (await store.read((tx) => lines.nextAt(tx, name))) ?? next);
    }
    if (Number.isFinite(next)) sleep(next - now());
  }

  function begin(line: Line) {
    const key = keyOf(line);
    if (active.has(key) || !running) return;
    const work = sendAll(line)
      .then(() => 0)
      .catch((error: unknown) => {
        log.warn("nothing can be sent yet", { channel: line.channel, error });
        return lookAgainMs;
      })
      .then((ms) => {
        active.delete(key);
        if (ms === 0) wake();
        else sleep(ms);
      });
    active.set(key, { channel: line.channel, work });
  }

  async function sendAll(line: Line) {
    const until = places.aloneUntil(line);
    if (until > now()) return store.write((tx) => lines.putOff(tx, line, { now: now(), until }));
    let row = await store.write((tx) => lines.claim(tx, line, hold()));
    while (row !== undefined) {
      const outcome = await send(row);
      if (outcome === undefined) return;
      if (outcome.kind === "later" && outcome.asked) places.leaveAlone(line, outcome.at);
      row = await noteDown(row, outcome);
    }
  }

  async function send(row: OutboxRow) {
    const channel = channels.get(row.channel);
    if (channel === undefined) return undefined;
    if (row.state === "sending") {
      count("totalPossibleDoubles");
      log.warn("this may be sent a second time: the server ended while it was sent", { outbox: row.id });
    }
    const replaces = lines.isAnswer(row) ? await settle(row.turnId) : undefined;
    const signal = stopped.signal;
    return attempt({ channel, row, replaces, now, giveUpMs, timeoutMs, signal });
  }

  /** An answer whose preview is not known is sent beside it: better seen twice than not at all. */
  const settle = async (turnId: string) =>
    parts.settle?.(turnId).catch((error: unknown) => {
      log.warn("the preview of an answer could not be found", { turn: turnId, error });
      return undefined;
    });

  /** What was sent must be written down, however long the store is away: else it is sent again. */
  async function noteDown(row: OutboxRow, outcome: lines.Outcome): Promise<OutboxRow | undefined> {
    countOutcome(row, outcome);
    for (;;) {
      try {
        const goOn = running && places.aloneUntil(row) <= now();
        return await store.write((tx) => lines.note(tx, row, outcome, { ...hold(), goOn }));
      } catch (error) {
        if (stopped.signal.aborted) throw error;
        log.error("what was sent cannot be written down yet", {
          outbox: row.id,
          outcome: outcome.kind,
          error,
        });
        await Bun.sleep(lookAgainMs);
      }
    }
  }

  return {
    wake,
    async start() {
      if (channels.size === 0) return;
      if (parts.alone) await store.write((tx) => lines.release(tx));
      running = true;
      wake();
    },
    async stop(ms) {
      const begun = running;
      running = false;
      clearTimeout(timer);
      await looking;
      const late = Promise.withResolvers<void>();
      const end = setTimeout(late.resolve, ms);
      const ended = Promise.all([...active.values()].map(({ work }) => work));
      await Promise.race([ended, late.promise]);
      clearTimeout(end);
      stopped.abort();
      await ended;
      if (begun) await store.write((tx) => lines.release(tx, owner)).catch(() => {});
    },
  };
}

function countOutcome(row: OutboxRow, outcome: lines.Outcome) {
  const { id, channel, turnId: turn, attempts } = row;
  if (outcome.kind === "sent") return count("totalDeliveries");
  count("totalDeliveryFailures");
  if (outcome.kind === "dead") {
    count("totalDeadDeliveries");
    log.error("a message could not be delivered and was given up", {
      outbox: id,
      channel,
      turn,
      why: outcome.why,
    });
  } else
    log.warn("a message could not be delivered yet", {
      outbox: id,
      channel,
      turn,
      attempts,
      why: outcome.why,
    });
}
