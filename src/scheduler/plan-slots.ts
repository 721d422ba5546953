import type { Schedule } from "./schedule.ts";

/** A slot at which nobody was there; `slots` is how many it stands for. */
export interface MissedSlot {
  readonly slot: number;
  readonly slots: number;
  readonly reason: string;
}

/** What becomes of the slots of a job up to now. */
export interface SlotPlan {
  readonly missed: readonly MissedSlot[];
  /** To be run, the oldest first. */
  readonly runs: readonly { readonly slot: number; readonly late: boolean }[];
  /** The first slot behind them. */
  readonly next: number | undefined;
}

/** How late a run may begin and still be in time: processes are busy, and timers are not exact. */
export const graceMs = 60_000;
/** Rows that are written for missed slots, and runs that make up for some, of one job at once. */
const mostRows = 100;
/** Slots that are counted one by one in each part of the time: of those that nothing will run, a few. */
const mostCounted = 10_000;
const mostOldCounted = 500;
/** Computing takes up to 40 µs a slot: others have their turn in between. */
const slotsAtOnce = 100;

interface Taken {
  readonly slots: readonly number[];
  /** How many came before those. */
  readonly earlier: number;
  /** There were more than were counted. */
  readonly more: boolean;
}

/**
 * Sorts what is due: slots older than the window are missed, those in it go by `catchUp`, those of the last minute run.
 * `first` is the oldest slot that nobody has claimed.
 */
export async function planSlots(
  schedule: Schedule,
  of: { first: number; now: number; windowMs: number; catchUp: "skip" | "once" | "all" },
): Promise<SlotPlan> {
  const { first, now, catchUp } = of;
  let slot: number | undefined = first;

  async function take(until: number, most = mostCounted): Promise<Taken> {
    const from = slot ?? until;
    const slots: number[] = [];
    let earlier = 0;
    let more = false;
    for (let seen = 1; slot !== undefined && slot <= until; seen++) {
      if (seen === most) {
        more = true;
        // Passed over, but for about as many of the newest as are shown.
        const shown = ((slot - from) / seen) * mostRows;
        slot = schedule.next(Math.max(slot, until - shown));
        continue;
      }
      if (seen > 2 * most) {
        slot = schedule.next(until);
        break;
      }
      if (slots.push(slot) > mostRows) {
        slots.shift();
        earlier += 1;
      }
      slot = schedule.next(slot);
      if (seen % slotsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return { slots, earlier, more };
  }

  const inTime = now - graceMs - 1;
  const old = await take(Math.min(now - of.windowMs - 1, inTime), mostOldCounted);
  const late = await take(inTime);
  const due = await take(now);

  const madeUp = madeUpFor(catchUp, late.slots, due.slots.length > 0);
  const runs = [
    ...madeUp.map((at) => ({ slot: at, late: true })),
    ...due.slots.map((at) => ({ slot: at, late: false })),
  ];
  const reason =
    catchUp === "once" && late.slots.length > 0 && runs.length > 0
      ? "nothing ran at its time; one run makes up for it"
      : "nothing ran at its time";
  const over = "nothing ran at its time, which is longer ago than OPENCLAW_JOB_CATCH_UP_SECONDS";
  const rows = [
    ...old.slots.map((at) => ({ slot: at, slots: 1, reason: over })),
    ...late.slots.filter((at) => !madeUp.includes(at)).map((at) => ({ slot: at, slots: 1, reason })),
  ];
  const kept = rows.slice(-mostRows);
  const rest = old.earlier + late.earlier + due.earlier + rows.length - kept.length;
  if (rest === 0) return { missed: kept, runs, next: slot };
  const more = old.more || late.more || due.more ? "more than " : "";
  // Its own slot is the first of those that it stands for, which has no row of its own.
  const sum = { slot: first, slots: rest, reason: `${more}${rest} slots: ${over}` };
  return { missed: [sum, ...kept], runs, next: slot };
}

/** Of the late slots in the window, those that are made up for. */
function madeUpFor(catchUp: "skip" | "once" | "all", late: readonly number[], isDue: boolean) {
  if (catchUp === "all") return late;
  // A slot that is due now makes up for those before it.
  return catchUp === "once" && !isDue ? late.slice(-1) : [];
}
