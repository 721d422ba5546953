import type { Middleware } from "../agent/turn.ts";
import { busy } from "../errors.ts";
import { log } from "../telemetry/log.ts";

/** Whether this process uses more memory than it should. */
export interface MemoryMark {
  isOver(): boolean;
}

interface MemoryMarkParts {
  /** Bytes, asked for at the first look; Infinity: no mark. */
  readonly mark: () => number;
  readonly residentBytes?: () => number;
  readonly now?: () => number;
  /** Gives back what nobody needs any more. */
  readonly collect?: () => void;
}

const lookEveryMs = 1000;

/** Looks when it is asked, once a second at most: nobody who serves nothing pays for it. */
export function createMemoryMark(parts: MemoryMarkParts): MemoryMark {
  const { residentBytes = process.memoryUsage.rss, now = () => performance.now() } = parts;
  // Without it what a burst has left behind could keep the server closed for good.
  const collect = parts.collect ?? (() => Bun.gc(true));
  let mark: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let over = false;

  function look() {
    mark ??= parts.mark();
    const wasOver = over;
    over = residentBytes() > mark;
    if (over) {
      collect();
      over = residentBytes() > mark;
    }
    if (over === wasOver) return;
    const fields = { residentBytes: residentBytes(), mark };
    if (over) log.warn("Memory is over its mark: new turns are refused as busy.", fields);
    else log.info("Memory is under its mark again.", fields);
  }

  return {
    isOver() {
      if (now() - lookedAt >= lookEveryMs) {
        lookedAt = now();
        look();
      }
      return over;
    },
  };
}

/** Refuses turns without a session while memory is short; those of kept sessions are refused before they are accepted. */
export const memoryMark =
  ({ isOver }: MemoryMark): Middleware =>
  (turn, next) => {
    if (turn.sessionId === undefined && isOver()) throw busy();
    return next(turn);
  };
