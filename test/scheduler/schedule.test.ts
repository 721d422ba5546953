import { expect, test } from "bun:test";
import { firstSlot, loadSchedules } from "../../src/scheduler/schedule.ts";

const read = await loadSchedules();

/** The first slots after a moment, in ISO form without seconds. */
function slots(schedule: string, zone: string, after: string, most = 3): string[] {
  const found: string[] = [];
  let at: number | undefined = Date.parse(after);
  while (found.length < most && at !== undefined) {
    at = read({ schedule, zone }, Date.parse(after)).next(at);
    if (at !== undefined) found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

test("loadSchedules loses no slot when the clocks go forward, in three zones", () => {
  expect(slots("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)).toEqual([
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  expect(slots("30 2,14 * * *", "America/New_York", "2026-03-08T00:00:00Z", 2)).toEqual([
    "2026-03-08T07:00",
    "2026-03-08T18:30",
  ]);
  expect(slots("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2)).toEqual([
    "2026-10-03T15:30",
    "2026-10-04T15:15",
  ]);
});

test("loadSchedules names no slot twice when the clocks go back, in three zones", () => {
  expect(slots("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
  expect(slots("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2)).toEqual([
    "2026-11-01T05:30",
    "2026-11-02T06:30",
  ]);
  expect(slots("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2)).toEqual([
    "2026-04-04T14:45",
    "2026-04-05T15:15",
  ]);
});

test("loadSchedules keeps to every quarter of an hour through each change", () => {
  for (const [zone, from] of [
    ["Europe/Berlin", "2026-03-28T22:00:00Z"],
    ["Europe/Berlin", "2026-10-24T22:00:00Z"],
    ["America/New_York", "2026-03-08T04:00:00Z"],
    ["America/New_York", "2026-11-01T03:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T12:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-03T12:00:00Z"],
  ] as const) {
    const schedule = read({ schedule: "*/15 * * * *", zone }, 0);
    let at = Date.parse(from);
    for (let n = 0; n < 24; n++) {
      const next = schedule.next(at);
      expect(`${zone} ${(next ?? 0) - at}`).toBe(`${zone} 900000`);
      at = next ?? at;
    }
  }
});

test("loadSchedules knows leap years, last days, names and the nth weekday", () => {
  expect(slots("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1)).toEqual(["2104-02-29T00:00"]);
  expect(slots("0 0 L * *", "UTC", "2027-02-01T00:00:00Z", 2)).toEqual([
    "2027-02-28T00:00",
    "2027-03-31T00:00",
  ]);
  expect(slots("0 9 * JAN MON-FRI", "UTC", "2026-12-31T00:00:00Z", 2)).toEqual([
    "2027-01-01T09:00",
    "2027-01-04T09:00",
  ]);
  expect(slots("0 0 * * FRI-SUN", "UTC", "2026-11-23T00:00:00Z", 3)).toEqual([
    "2026-11-27T00:00",
    "2026-11-28T00:00",
    "2026-11-29T00:00",
  ]);
  expect(slots("0 0 * * FRI#2", "UTC", "2026-11-23T00:00:00Z", 1)).toEqual(["2026-12-11T00:00"]);
  expect(slots("*/30 * * * * *", "UTC", "2026-11-23T00:00:00Z", 2)).toEqual([
    "2026-11-23T00:00",
    "2026-11-23T00:01",
  ]);
  expect(slots("@weekly", "Europe/Berlin", "2026-11-23T00:00:00Z", 1)).toEqual(["2026-11-28T23:00"]);
});

test("loadSchedules counts intervals from their anchor, and names a moment once", () => {
  expect(slots("every 15m", "UTC", "2026-11-23T10:07:00Z", 2)).toEqual([
    "2026-11-23T10:22",
    "2026-11-23T10:37",
  ]);
  expect(slots("PT1H30M", "UTC", "2026-11-23T10:00:00Z", 2)).toEqual([
    "2026-11-23T11:30",
    "2026-11-23T13:00",
  ]);
  expect(slots("2026-12-24T18:00", "Europe/Berlin", "2026-11-23T10:00:00Z")).toEqual(["2026-12-24T17:00"]);
  expect(slots("2026-12-24T18:00:00+05:30", "UTC", "2026-11-23T10:00:00Z")).toEqual(["2026-12-24T12:30"]);
});

test("loadSchedules says what is wrong and what is allowed", () => {
  const why = (schedule: string, zone = "UTC") => {
    try {
      firstSlot(read, { schedule, zone }, Date.parse("2026-11-23T10:00:00Z"));
      return "taken";
    } catch (error) {
      expect(error).toMatchObject({ code: "bad_request" });
      return error instanceof Error ? error.message : "";
    }
  };
  expect(why("0 0 30 2 *")).toContain("It never comes");
  expect(why("0 0 31 4,6 *")).toContain("It never comes");
  expect(why("2027-02-30T10:00")).toContain("There is no such date");
  expect(why("2027-02-28T24:00Z")).toContain("There is no such date");
  expect(why("2026-11-23T09:59Z")).toContain("That moment is over");
  expect(why("0 0 * * FRI-MON")).toContain("FRI,SAT,SUN,MON");
  expect(why("61 * * * *")).toContain("minute");
  expect(why("* * * * * * 2027")).toContain("Allowed: 5 or 6 fields");
  expect(why("@reboot")).toContain("Allowed");
  expect(why("every 0s")).toContain("at least a second");
  expect(why("every 999999999w")).toContain("at most 366 days");
  expect(why("P1M")).toContain("Allowed");
  expect(why("\u202e* * * * *")).toContain("Allowed");
  expect(why("* * * * *", "Mars/Olympus")).toContain("Europe/Berlin");
  expect(why("* * * * *", "+02:00")).toContain("IANA");
  expect(why("every 15m", "nowhere")).toContain("IANA");
});
