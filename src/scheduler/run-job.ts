import { plainRequest } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import * as runs from "../store/job-runs.ts";
import * as jobs from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import * as turns from "../store/turns.ts";
import { schedulerLog as log } from "../telemetry/log.ts";
import type { Deliver } from "../turns/deliver.ts";
import { endsTurn, type NewTurn, type Turns } from "../turns/turns.ts";
import type { After } from "./after.ts";
import { mayBegin, messageOf, sessionOf, sessionOfBegun, spentBefore } from "./attempt-of.ts";
import { backoffMs, longestBackoffMs } from "./backoff.ts";

export interface RunParts {
  readonly store: Store;
  readonly turns: Pick<Turns, "accept" | "cancel" | "follow">;
  readonly deliver?: Deliver | undefined;
  readonly now: () => number;
  readonly after: After;
  /** Ends every wait: what runs then is gone on with by the next process. */
  readonly stopping: AbortSignal;
}

const noTokens = { inputTokens: 0, outputTokens: 0 };

/** How an attempt ended. `left`: it did not, and another process goes on with it. */
type Outcome =
  | { readonly kind: "left" }
  /** There was no room for a turn: no attempt was made. */
  | { readonly kind: "busy"; readonly reason: string }
  | {
      readonly kind: "ended";
      readonly state: runs.EndedRunState;
      readonly reason?: string;
      /** It may go better another time. */
      readonly again: boolean;
      /** Its turn came to an answer, which is delivered by itself. */
      readonly answered: boolean;
      readonly usage: typeof noTokens;
    };

const ended = (
  state: runs.EndedRunState,
  reason?: string,
  more: { again?: boolean; answered?: boolean; usage?: typeof noTokens } = {},
): Outcome => ({
  kind: "ended",
  state,
  again: false,
  answered: false,
  usage: noTokens,
  ...more,
  ...(reason !== undefined && { reason }),
});

/** Refusals that the same attempt would meet again. */
const final: readonly string[] = [
  "bad_request",
  "unsupported",
  "forbidden",
  "not_found",
  "model_not_found",
  "payload_too_large",
  "step_limit",
  "cancelled",
  "budget_exceeded",
];
/** Refusals by a rule, not mishaps. */
const denials: readonly string[] = ["forbidden", "budget_exceeded"];

const busyMs = 2000;
const storeAgainMs = 1000;

/** Makes one attempt of a run that this process has claimed, and notes how it ended. */
export async function runJob(run: runs.JobRun, parts: RunParts): Promise<void> {
  let outcome: Outcome;
  try {
    outcome = await attempt(run, parts);
  } catch (error) {
    outcome = failed(error, run);
  }
  while (outcome.kind !== "left") {
    try {
      return await note(run, outcome, parts);
    } catch (error) {
      log.error("the end of a job's run cannot be stored yet", { job: run.jobName, slot: run.slot, error });
    }
    if (parts.stopping.aborted) return;
    await Bun.sleep(storeAgainMs);
  }
}

function failed(error: unknown, { jobName, slot }: runs.JobRun): Outcome {
  if (!(error instanceof AppError)) log.error("a job could not be run", { job: jobName, slot, error });
  const { code, message } =
    error instanceof AppError ? error : { code: "internal", message: "It failed inside the server." };
  // Nothing was begun: the store or the queues had no room for it.
  if (code === "busy" || code === "unavailable") return { kind: "busy", reason: message };
  return ended(denials.includes(code) ? "denied" : "failed", message, { again: !final.includes(code) });
}

async function attempt(run: runs.JobRun, parts: RunParts): Promise<Outcome> {
  const { store } = parts;
  const found = await store.read(async (tx) => {
    const job = await jobs.findById(tx, run.jobId);
    if (job === undefined) return undefined;
    const begunIn = await sessionOfBegun(tx, run);
    const sessionId = begunIn ?? (await sessionOf(tx, job, run.slot));
    const isOver = begunIn === undefined && !mayBegin(run, job);
    const spent = job.spec.tokens === undefined ? 0 : await spentBefore(tx, run, sessionId);
    return { job, sessionId, isOver, spent, prompt: (await jobs.promptOf(tx, job.id)) ?? "" };
  });
  if (found === undefined) {
    const { turnId, sessionId } = run;
    if (turnId === undefined || sessionId === undefined) return ended("skipped", "the job was deleted");
    return watch({ turnId, sessionId, timeoutMs: longestBackoffMs }, parts);
  }
  if (found.isOver) return ended("skipped", jobs.disabledText);
  const { job, prompt, sessionId, spent } = found;
  const { spec } = job;
  // An attempt that was accepted before a crash is found again by it.
  const messageId = messageOf(run.slot, run.attempts);
  const newTurn: NewTurn = {
    sessionId,
    principal: { name: job.owner, scope: job.scope },
    channel: "job",
    text: prompt,
    request: {
      ...plainRequest,
      approver: "none",
      cause: { kind: "job", jobId: job.id, slot: run.slot },
      ...(spec.agent !== undefined && { agent: spec.agent }),
      // They are for the whole run.
      ...(spec.tokens !== undefined && { maxTokens: Math.max(1, spec.tokens - spent) }),
      ...(job.onlyTools !== undefined && { onlyTools: job.onlyTools }),
    },
    messageId,
    // A failure that is tried again is nobody's business yet.
    ...(spec.delivery !== undefined && { delivery: { ...spec.delivery, answersOnly: true } }),
  };
  // The turn and the row that names it are one commit: no run is without the turn that it began.
  const { turnId } = await parts.turns.accept(newTurn, undefined, async (tx) => {
    if ((await sessions.find(tx, sessionId))?.owner !== job.owner)
      throw new AppError(
        "busy",
        `The session ${sessionId} has become another's: the next try takes one of its own.`,
      );
    const begun = await turns.findByMessage(tx, sessionId, messageId);
    if (begun !== undefined) await runs.setTurn(tx, run, { turnId: begun.id, sessionId });
  });
  return watch({ turnId, sessionId, timeoutMs: spec.timeoutSeconds * 1000 }, parts);
}

/** Waits for the end of a turn, in whichever process it runs, and cancels it when it takes too long. */
async function watch(
  { turnId, sessionId, timeoutMs }: { turnId: string; sessionId: string; timeoutMs: number },
  { store, turns: life, after, stopping }: RunParts,
): Promise<Outcome> {
  const find = () => store.read((tx) => turns.find(tx, turnId));
  const gone = () => ended("failed", "its session was deleted while it ran");
  const denied = new Set<string>();
  const end = Promise.withResolvers<"end" | "late" | "stop">();
  const onStop = () => end.resolve("stop");
  let unsubscribe: (() => void) | undefined;
  let cancelTimer: (() => void) | undefined;
  try {
    const begun = await find();
    if (begun === undefined) return gone();
    const follow = life.follow(sessionId, `${begun.firstEvent}`, ({ turnId: of, event }) => {
      if (of !== turnId) return;
      if (event.type === "tool_result" && event.resultStatus === "denied") denied.add(event.toolName);
      if (endsTurn(event)) end.resolve("end");
    });
    // Its events may have had their time: then its row tells all there is.
    unsubscribe = await follow.catch((error: unknown) => {
      if (error instanceof AppError && error.code === "bad_request") return undefined;
      throw error;
    });
    if ((await find())?.endedAt !== undefined) end.resolve("end");
    cancelTimer = after(timeoutMs, () => end.resolve("late"));
    stopping.addEventListener("abort", onStop, { once: true });
    if (stopping.aborted) onStop();
    const why = await end.promise;
    if (why === "stop") return { kind: "left" };
    if (why === "late") await life.cancel(turnId);
    const row = await find();
    if (row === undefined) return gone();
    const usage = { inputTokens: row.inputTokens, outputTokens: row.outputTokens };
    if (row.state === "done") {
      const more = { answered: true, usage };
      if (denied.size === 0) return ended("ran", undefined, more);
      return ended("denied", `it answered, and was denied ${[...denied].join(", ")}`, more);
    }
    if (why === "late")
      return ended("failed", `it took longer than ${timeoutMs / 1000} s`, { again: true, usage });
    const { errorCode = "internal", errorMessage } = row;
    const again = !final.includes(errorCode);
    return ended(denials.includes(errorCode) ? "denied" : "failed", errorMessage ?? errorCode, {
      again,
      usage,
    });
  } finally {
    stopping.removeEventListener("abort", onStop);
    cancelTimer?.();
    unsubscribe?.();
  }
}

async function note(
  run: runs.JobRun,
  outcome: Exclude<Outcome, { kind: "left" }>,
  { store, deliver, now }: RunParts,
): Promise<void> {
  const told = await store.write(async (tx) => {
    // Its next run may begin by this: nobody claims a slot of it in between.
    const job = await jobs.hold(tx, run.jobId);
    const at = now();
    if (outcome.kind === "busy") {
      const nextAt = at + busyMs * (0.5 + Math.random());
      await runs.putBack(tx, run, {
        nextAt: Math.round(nextAt),
        counted: false,
        usage: noTokens,
        ...outcome,
      });
      return false;
    }
    const { reason = "", usage } = outcome;
    if (outcome.again && mayBegin(run, job) && run.attempts <= job.spec.retries) {
      const nextAt = Math.round(at + backoffMs(run.attempts));
      await runs.putBack(tx, run, { nextAt, counted: true, reason: `tried again: ${reason}`, usage });
      return false;
    }
    const { id, delivery, turnId = id } = (await runs.finish(tx, run, { ...outcome, now: at })) ?? {};
    if (id === undefined || turnId === undefined) return false;
    await runs.releaseNext(tx, run.jobId);
    if (outcome.answered || outcome.state === "skipped" || delivery === undefined) return false;
    const after = run.attempts > 1 ? ` after ${run.attempts} attempts` : "";
    const text = `Error: The job ${run.jobName} failed${after}: ${reason}`;
    await deliver?.write(tx, { delivery, turnId, kind: "failed", text });
    return true;
  });
  if (told) deliver?.committed();
}
