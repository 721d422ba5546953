import { AppError } from "../../errors.ts";
import type { OnOutput, ProgramEnd } from "../can-run.ts";
import { type JavaScriptProcess, startJavaScriptProcess } from "./javascript-process.ts";
import { createKeptText, mostOutput } from "../processes/kept-text.ts";

export interface JavaScriptLimits {
  /** Processes; a call beyond them waits for its turn. */
  readonly atOnce: number;
  /** How long an idle process stays. */
  readonly idleMs: number;
}

/** Code in the embedded interpreter, in processes of our own of which some stay for a while. */
export interface JavaScript {
  /**
   * Ended by the signal, it resolves with what it had printed until then; rejects with `unavailable` when it had not begun.
   * One `principal` never has all processes, so that endless code of one does not keep the others waiting.
   */
  run(code: string, onOutput: OnOutput, signal: AbortSignal, principal: string): Promise<ProgramEnd>;
  /** Ends all that runs. */
  close(): Promise<void>;
}

const standardLimits: JavaScriptLimits = { atOnce: 2, idleMs: 30_000 };

/** At most `most` at once, and all but one of them for one principal; whoever waits longest of those that may is next. */
function createPlaces(most: number) {
  const mostOfOne = Math.max(1, most - 1);
  const waiting = new Set<{ readonly principal: string; begin(): void }>();
  const taken: string[] = [];
  const mayEnter = (principal: string) =>
    taken.length < most && taken.filter((each) => each === principal).length < mostOfOne;
  return {
    /** Rejects with `unavailable` when the signal ends the wait. */
    async enter(principal: string, signal: AbortSignal) {
      signal.throwIfAborted();
      if (mayEnter(principal)) {
        taken.push(principal);
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const mine = { principal, begin: resolve };
      const leave = () => {
        if (!waiting.delete(mine)) return;
        const text = "Cannot run the code: others are running code here; try again.";
        reject(new AppError("unavailable", text, { cause: signal.reason }));
      };
      waiting.add(mine);
      signal.addEventListener("abort", leave, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
    leave(principal: string) {
      taken.splice(taken.indexOf(principal), 1);
      for (const next of waiting) {
        if (!mayEnter(next.principal)) continue;
        // Taken at once: nobody who comes in between may have it.
        taken.push(next.principal);
        waiting.delete(next);
        next.begin();
      }
    },
  };
}

export function createJavaScript(limits: JavaScriptLimits = standardLimits): JavaScript {
  const places = createPlaces(limits.atOnce);
  const all = new Set<JavaScriptProcess>();
  const idle = new Map<JavaScriptProcess, ReturnType<typeof setTimeout>>();

  async function end(seat: JavaScriptProcess) {
    clearTimeout(idle.get(seat));
    idle.delete(seat);
    all.delete(seat);
    await seat.end();
  }

  function take(): JavaScriptProcess {
    const [warm] = idle.keys();
    if (warm !== undefined) {
      clearTimeout(idle.get(warm));
      idle.delete(warm);
      return warm;
    }
    const seat = startJavaScriptProcess();
    all.add(seat);
    return seat;
  }

  function giveBack(seat: JavaScriptProcess) {
    const timer = setTimeout(() => void end(seat), limits.idleMs);
    timer.unref();
    idle.set(seat, timer);
  }

  async function runIn(seat: JavaScriptProcess, code: string, onOutput: OnOutput, signal: AbortSignal) {
    const kept = createKeptText(mostOutput);
    const stop = () => void end(seat);
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (signal.aborted) stop();
      const done = await seat.run(code, (text, stream) => {
        kept.add(text);
        if (!signal.aborted) onOutput(text, stream);
      });
      return done ?? { signal: "SIGKILL", ...kept.end() };
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    async run(code, onOutput, signal, principal) {
      await places.enter(principal, signal);
      const seat = take();
      let isWell = false;
      try {
        const done = await runIn(seat, code, onOutput, signal);
        isWell = done.signal === undefined && all.has(seat);
        return done;
      } finally {
        if (isWell) giveBack(seat);
        else await end(seat);
        places.leave(principal);
      }
    },
    async close() {
      await Promise.all([...all].map(end));
    },
  };
}
