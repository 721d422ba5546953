import { writeSync } from "node:fs";
import { maskedJson, maskSecrets } from "./mask.ts";

/** Levels from the least to the most. */
export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

export type Fields = Readonly<Record<string, unknown>>;

/** The level of all areas, and of those that have their own. */
export interface LogLevels {
  readonly all: Level;
  readonly areas: Readonly<Record<string, Level>>;
}

/** A line as it was written, for who sends it on: `fields` are those of its JSON. */
export interface Line {
  readonly level: Level;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Masked. */
  readonly json: string;
  fields(): Readonly<Record<string, unknown>>;
}

let leastOfAll = levels.indexOf("info");
let leastOf: ReadonlyMap<string, number> = new Map();
let pretty = false;
let mirror: ((line: Line) => void) | undefined;
/** `process.stderr` takes 7 ms at its first use, so it is only for a reader that is too slow for a direct write. */
let write: (line: string) => void = (line) => {
  try {
    writeSync(2, line);
  } catch {
    process.stderr.write(line);
  }
};

/** Sets what is logged and how: JSON lines, or on a terminal lines for people. `sink` is for tests. */
export function setUpLog(options: {
  level: Level | LogLevels;
  pretty: boolean;
  sink?: (line: string) => void;
}) {
  const { all, areas } =
    typeof options.level === "string" ? { all: options.level, areas: {} } : options.level;
  leastOfAll = levels.indexOf(all);
  leastOf = new Map(Object.entries(areas).map(([area, level]) => [area, levels.indexOf(level)]));
  pretty = options.pretty;
  if (options.sink) write = options.sink;
}

/** Hands every line that is written to somebody else as well, or with undefined to nobody. */
export function mirrorLog(to: ((line: Line) => void) | undefined) {
  mirror = to;
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

function readFields(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function emit(level: Level, area: string, message: string, fields: Fields) {
  const all = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value instanceof Error ? Object.entries(errorFields(value)) : [[name, value] as const],
    ),
  );
  const atMs = Date.now();
  const time = new Date(atMs).toISOString();
  const json =
    pretty && mirror === undefined
      ? ""
      : steady(maskedJson({ time, level, ...(area !== "" && { area }), message, ...all }));
  mirror?.({ level, atMs, json, fields: () => readFields(json) });
  if (!pretty) return write(`${json}\n`);
  const rest = Object.entries(all).map(
    ([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  write(`${steady(maskSecrets(`${time.slice(11, 19)} ${level.padEnd(5)} ${message}${rest.join("")}`))}\n`);
}

/** `fields` may be a function, so that a level that is off formats nothing. */
const at =
  (level: Level, area: string) =>
  (message: string, fields: Fields | (() => Fields) = {}) => {
    if (levels.indexOf(level) >= (leastOf.get(area) ?? leastOfAll))
      emit(level, area, message, typeof fields === "function" ? fields() : fields);
  };

/** The log of one area, whose level can be set on its own (`OPENCLAW_LOG_LEVEL=info,llm=debug`). */
const logOf = (area: string) => ({
  debug: at("debug", area),
  info: at("info", area),
  warn: at("warn", area),
  error: at("error", area),
});

/** Areas are folders of `src/`. */
export const areas = [
  "agent",
  "channels",
  "gateway",
  "llm",
  "sandbox",
  "scheduler",
  "store",
  "turns",
] as const;

export const log = logOf("");
export const agentLog = logOf("agent");
export const channelsLog = logOf("channels");
export const gatewayLog = logOf("gateway");
export const llmLog = logOf("llm");
export const sandboxLog = logOf("sandbox");
export const schedulerLog = logOf("scheduler");
export const storeLog = logOf("store");
export const turnsLog = logOf("turns");
