import * as v from "valibot";
import { jsonOf } from "./json-value.ts";

const text = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));

/** Where an answer goes: a channel (`telegram`, `sms`, `slack`) and a recipient there. */
export const Delivery = v.strictObject({ channel: text(64), recipient: text(256) });
export type Delivery = v.InferOutput<typeof Delivery>;

/** One job as it is declared; the schedule itself is looked at by the scheduler, which knows the form. */
export const JobSpec = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a name of letters, digits, . _ -")),
  schedule: text(256),
  /** IANA name; UTC when left out. */
  zone: v.optional(text(64), "UTC"),
  prompt: text(1_048_576),
  /** A profile of OPENCLAW_AGENTS; the default agent when left out. */
  agent: v.optional(text(64)),
  /** `own`: one session for all runs; `fresh`: one each run. */
  session: v.optional(v.picklist(["own", "fresh"]), "own"),
  delivery: v.optional(Delivery),
  catchUp: v.optional(v.picklist(["skip", "once", "all"]), "once"),
  overlap: v.optional(v.picklist(["skip", "queue"]), "skip"),
  timeoutSeconds: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(86_400)), 600),
  retries: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)), 2),
  /** Tokens that one run may take. */
  tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  enabled: v.optional(v.boolean(), true),
});
export type JobSpec = v.InferOutput<typeof JobSpec>;

const areDistinct = (items: JobSpec[]) => new Set(items.map((item) => item.name)).size === items.length;

/** `[{ "name", "schedule", "prompt", … }]`. */
export const jobList = jsonOf(
  v.optional(
    v.pipe(v.array(JobSpec), v.maxLength(10_000), v.check(areDistinct, "names that differ from each other")),
    [],
  ),
  'a JSON list of {"name", "schedule", "zone", "prompt", "agent", "session", "delivery", "catchUp", "overlap", "timeoutSeconds", "retries", "tokens", "enabled"}',
);
