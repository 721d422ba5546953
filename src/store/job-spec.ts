import * as v from "valibot";

const text = (most: number) => v.pipe(v.string(), v.nonEmpty(), v.maxLength(most));

export const JobName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    "The name of a job is 1 to 64 letters, digits, . _ - and begins with a letter or digit.",
  ),
);

/** The fields of a job without their defaults: what a change may hold. A test keeps `OPENCLAW_JOBS` the same. */
export const jobFields = {
  /** The form is read by the scheduler, which knows the clock. */
  schedule: text(256),
  /** IANA name. */
  zone: text(64),
  prompt: text(1_048_576),
  /** A profile of OPENCLAW_AGENTS. */
  agent: text(64),
  /** `own`: one session for all runs; `fresh`: one each run. */
  session: v.picklist(["own", "fresh"]),
  /** Where its answers go. */
  delivery: v.strictObject({ channel: text(64), recipient: text(256) }),
  /** What becomes of slots that nobody was there for, inside the window. */
  catchUp: v.picklist(["skip", "once", "all"]),
  /** What becomes of a slot while an earlier run goes on. */
  overlap: v.picklist(["skip", "queue"]),
  timeoutSeconds: v.pipe(v.number(), v.minValue(1), v.maxValue(86_400)),
  retries: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10)),
  /** Tokens that one run may take. */
  tokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
  enabled: v.boolean(),
};

/** One job as it is asked for. */
export const JobSpec = v.object({
  name: JobName,
  schedule: jobFields.schedule,
  zone: v.optional(jobFields.zone, "UTC"),
  prompt: jobFields.prompt,
  agent: v.optional(jobFields.agent),
  session: v.optional(jobFields.session, "own"),
  delivery: v.optional(jobFields.delivery),
  catchUp: v.optional(jobFields.catchUp, "once"),
  overlap: v.optional(jobFields.overlap, "skip"),
  timeoutSeconds: v.optional(jobFields.timeoutSeconds, 600),
  retries: v.optional(jobFields.retries, 2),
  tokens: v.optional(jobFields.tokens),
  enabled: v.optional(jobFields.enabled, true),
});
export type JobSpec = v.InferOutput<typeof JobSpec>;

/** What is kept in one row: all but the prompt, which may be long. */
export const StoredSpec = v.omit(JobSpec, ["name", "prompt"]);
export type StoredSpec = v.InferOutput<typeof StoredSpec>;
