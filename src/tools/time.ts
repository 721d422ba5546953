import * as v from "valibot";
import { AppError } from "../errors.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

/** The time in a zone, spelled out. Throws `bad_request` for a zone that does not exist. */
function inZone(now: Date, zone: string): string {
  // Intl takes some milliseconds when it is first used, and most calls ask for UTC.
  if (zone === "UTC") return now.toUTCString().replace(" GMT", "");
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "full", timeStyle: "long" }).format(
      now,
    );
  } catch (error) {
    const why = "there is no such zone; use an IANA name like Europe/Berlin";
    throw new AppError("bad_request", `Cannot tell the time in ${shown(zone)}: ${why}.`, { cause: error });
  }
}

export const time = defineTool({
  name: "time",
  description: "Tell the date and the time now, in UTC or in a time zone.",
  needs: ["time"],
  effect: () => "reads",
  input: v.object({
    zone: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("IANA name, like Europe/Berlin; UTC when left out.")),
      "UTC",
    ),
  }),
  async run({ zone }, can) {
    const now = new Date(can.time.now());
    return `${inZone(now, zone)} (${shown(zone)})\nISO 8601: ${now.toISOString()}`;
  },
});
