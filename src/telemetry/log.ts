import { writeSync } from "node:fs";
import { maskedJson, maskSecrets } from "./mask.ts";

/** Levels from the least to the most. */
export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export type Fields = Readonly<Record<string, unknown>>;

let least = levels.indexOf("info");
let pretty = false;
/** `process.stderr` takes 7 ms at its first use, so it is only for a reader that is too slow for a direct write. */
let write: (line: string) => void = (line) => {
  try {
    writeSync(2, line);
  } catch {
    process.stderr.write(line);
  }
};

/** Sets what is logged and how: JSON lines, or on a terminal lines for people. `sink` is for tests. */
export function setUpLog(options: { level: Level; pretty: boolean; sink?: (line: string) => void }) {
  least = levels.indexOf(options.level);
  pretty = options.pretty;
  if (options.sink) write = options.sink;
}

const errorFields = (error: Error): Fields => ({
  error: error.message,
  stack: error.stack,
  ...(error.cause !== undefined && {
    cause: error.cause instanceof Error ? error.cause.message : String(error.cause),
  }),
});

/** What would steer the terminal of who reads the log, or hide in it; as JSON writes it, so that JSON stays JSON. */
const steering =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e0fff}]/gu;

const steady = (line: string) =>
  line.replace(steering, (sign) =>
    // Two halves where it takes two.
    sign.replace(/[^]/g, (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );

function emit(level: Level, message: string, fields: Fields) {
  const all = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value instanceof Error ? Object.entries(errorFields(value)) : [[name, value] as const],
    ),
  );
  const time = new Date().toISOString();
  if (!pretty) return write(`${steady(maskedJson({ time, level, message, ...all }))}\n`);
  const rest = Object.entries(all).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  write(`${steady(maskSecrets(`${time.slice(11, 19)} ${level.padEnd(5)} ${message}${rest.join("")}`))}\n`);
}

/** `fields` may be a function, so that a level that is off formats nothing. */
const at =
  (level: Level) =>
  (message: string, fields: Fields | (() => Fields) = {}) => {
    if (levels.indexOf(level) >= least)
      emit(level, message, typeof fields === "function" ? fields() : fields);
  };

export const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
