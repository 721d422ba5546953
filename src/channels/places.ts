import type { Line } from "../store/outbox.ts";
import type { Channels } from "./deliver.ts";

/** Which places want to be left alone: what several recipients have in common for their provider, such as a group. */
export interface Places {
  leaveAlone(line: Line, until: number): void;
  /** Until when the place of a recipient is to be left alone; 0 when it is not. */
  aloneUntil(line: Line): number;
  forget(): void;
}

/** Those beyond are asked once more than they like. */
const mostKept = 10_000;

/**
 * Kept in memory: each recipient that waits for its place waits on disk. The next process asks once for a recipient who
 * was not written to meanwhile.
 */
export function createPlaces(channels: Channels): Places {
  const untilOf = new Map<string, number>();
  const keyOf = ({ channel, recipient }: Line) =>
    `${channel} ${channels.get(channel)?.placeOf?.(recipient) ?? recipient}`;

  return {
    leaveAlone(line, until) {
      const key = keyOf(line);
      // Behind the others, so that the oldest is forgotten first.
      untilOf.delete(key);
      untilOf.set(key, until);
      const [oldest] = untilOf.keys();
      if (untilOf.size > mostKept && oldest !== undefined) untilOf.delete(oldest);
    },
    aloneUntil: (line) => untilOf.get(keyOf(line)) ?? 0,
    forget: () => untilOf.clear(),
  };
}
