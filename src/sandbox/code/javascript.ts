import type { OnOutput, ProgramEnd } from "../capabilities.ts";
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
  /** Ended by the signal, it resolves with what it had printed until then; rejects when it had not begun. */
  run(code: string, onOutput: OnOutput, signal: AbortSignal): Promise<ProgramEnd>;
  /** Ends all that runs. */
  close(): Promise<void>;
}

const standardLimits: JavaScriptLimits = { atOnce: 2, idleMs: 30_000 };

/** At most `most` at once; whoever waits longest is next. */
function createPlaces(most: number) {
  const waiting = new Set<() => void>();
  let taken = 0;
  return {
    /** Rejects at the signal. */
    async enter(signal: AbortSignal) {
      signal.throwIfAborted();
      if (taken < most) {
        taken += 1;
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = () => {
        if (waiting.delete(resolve)) reject(signal.reason);
      };
      waiting.add(resolve);
      signal.addEventListener("abort", leave, { once: true });
      await promise;
      signal.removeEventListener("abort", leave);
    },
    leave() {
      const [next] = waiting;
      if (next === undefined) {
        taken -= 1;
        return;
      }
      // The place is handed over.
      waiting.delete(next);
      next();
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
    async run(code, onOutput, signal) {
      await places.enter(signal);
      const seat = take();
      let isWell = false;
      try {
        const done = await runIn(seat, code, onOutput, signal);
        isWell = done.signal === undefined && all.has(seat);
        return done;
      } finally {
        if (isWell) giveBack(seat);
        else await end(seat);
        places.leave();
      }
    },
    async close() {
      await Promise.all([...all].map(end));
    },
  };
}
