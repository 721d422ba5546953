import { AppError } from "../errors.ts";

/** When a job is due. */
export interface Schedule {
  /** The first slot after a time, in milliseconds since 1970; undefined when none comes any more. */
  next(after: number): number | undefined;
}

const forms =
  'Allowed: 5 or 6 fields ("0 8 * * MON-FRI", with L, # and W), @hourly @daily @weekly @monthly @yearly, ' +
  'an interval ("every 15m", "PT15M"), or one moment ("2027-01-31T09:00", with Z or +01:00 where it is not of the zone).';

const refused = (text: string, why: string) =>
  new AppError("bad_request", `Cannot use the schedule "${text.slice(0, 100)}": ${why} ${forms}`, {
    param: "schedule",
  });

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const shortestMs = 1000;
const longestMs = 366 * 86_400_000;

const words = /^every\s+(\d{1,9})\s*(s|m|h|d|w|seconds?|minutes?|hours?|days?|weeks?)$/i;
const isoDuration = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i;
const moment = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/i;

/** True for a schedule of one moment: it may be over, and then has no slot left. */
export const isMoment = (schedule: string) => moment.test(schedule.trim());

/** The length of an interval in milliseconds; undefined for a text that is of another form. */
function intervalOf(text: string): number | undefined {
  const [, number, unit] = words.exec(text) ?? [];
  if (number !== undefined && unit !== undefined)
    return Number(number) * (unitMs[unit.charAt(0).toLowerCase()] ?? Number.NaN);
  const parts = isoDuration.exec(text);
  if (parts === null) return undefined;
  const [w, d, h, m, s] = parts.slice(1).map((part) => Number(part ?? 0));
  return ((((w ?? 0) * 7 + (d ?? 0)) * 24 + (h ?? 0)) * 60 + (m ?? 0)) * 60_000 + (s ?? 0) * 1000;
}

function everyMs(text: string, ms: number, anchor: number): Schedule {
  if (!(ms >= shortestMs && ms <= longestMs))
    throw refused(text, "An interval is at least a second and at most 366 days.");
  return { next: (after) => anchor + (Math.floor((after - anchor) / ms) + 1) * ms };
}

type Croner = typeof import("croner");

function once({ CronDate }: Croner, text: string, zone: string, parts: RegExpExecArray): Schedule {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const inMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > inMonth || hour > 23 || minute > 59 || second > 59)
    throw refused(text, "There is no such date or time.");
  const iso = text.replace(" ", "T").toUpperCase();
  const at = parts[7] === undefined ? new CronDate(iso, zone).getDate(false).getTime() : Date.parse(iso);
  if (!Number.isFinite(at)) throw refused(text, "There is no such date or time.");
  return { next: (after) => (at > after ? at : undefined) };
}

function fields({ Cron }: Croner, text: string, zone: string): Schedule {
  try {
    // Without a function it starts no timer. Lists and ranges of hours are times of a day too: none is lost in spring.
    const cron = new Cron(text, { timezone: zone, mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" });
    return { next: (after) => cron.nextRun(new Date(after))?.getTime() };
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "It cannot be read.";
    const hint = said.includes("From value is larger")
      ? " A range does not reach across the end of the week, the day or the year: write a list, such as FRI,SAT,SUN,MON."
      : "";
    throw refused(text, `${said}.${hint}`);
  }
}

/** Throws `bad_request` for what is no IANA time zone. */
export function checkZone(zone: string): void {
  try {
    // Offsets are taken by the library, and mean no zone: their clocks never change.
    if (!/^[A-Za-z]/.test(zone)) throw new RangeError("not a name");
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    throw new AppError(
      "bad_request",
      `There is no time zone "${zone.slice(0, 64)}": use an IANA name such as Europe/Berlin, America/New_York or UTC.`,
      { param: "zone" },
    );
  }
}

/** Reads schedules; made once the library is there. */
export type ReadSchedule = (of: { schedule: string; zone: string }, anchor: number) => Schedule;

const mostKept = 2000;

/**
 * Imports the arithmetic and answers with what reads a schedule by it: fields and local moments in the zone, intervals
 * from `anchor`. Reading throws `bad_request` for a form or a zone that is none.
 */
export async function loadSchedules(): Promise<ReadSchedule> {
  const croner = await import("croner");
  const kept = new Map<string, Schedule>();

  function read(text: string, zone: string, anchor: number): Schedule {
    const ms = intervalOf(text);
    if (ms !== undefined) return everyMs(text, ms, anchor);
    const parts = moment.exec(text);
    return parts === null ? fields(croner, text, zone) : once(croner, text, zone, parts);
  }

  return ({ schedule, zone }, anchor) => {
    const text = schedule.trim();
    const key = `${anchor}\n${zone}\n${text}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    checkZone(zone);
    const made = read(text, zone, anchor);
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, made);
    return made;
  };
}

/** The first slot of a new job. Throws `bad_request` when there never is one. */
export function firstSlot(read: ReadSchedule, of: { schedule: string; zone: string }, now: number): number {
  const slot = read(of, now).next(now);
  if (slot !== undefined) return slot;
  throw refused(
    of.schedule,
    isMoment(of.schedule)
      ? `That moment is over: it is ${new Date(now).toISOString()} now.`
      : "It never comes: there is no such day, as with 30 February.",
  );
}
