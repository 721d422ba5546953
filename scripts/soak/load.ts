import type { Random } from "../fuzz/random.ts";
import type { House } from "./house.ts";
import type { StandIns } from "./stand-ins.ts";

/** A message that the server said it took. */
export interface Accepted {
  readonly id: string;
  readonly door: string;
  /** Where it is kept. */
  readonly session: string;
  readonly turn?: string;
  /** By which channel its answer goes out, and to whom. */
  readonly delivery?: { readonly channel: "sms" | "telegram"; readonly recipient: string };
}

/** What is known of a run so far. */
export interface Book {
  readonly accepted: Map<string, Accepted>;
  /** What should not have been. */
  readonly problems: string[];
  /** Milliseconds of answers, by whether a fault was there. */
  readonly latencies: { readonly calm: number[]; readonly fault: number[] };
  /** Answers that were no 200, by whether a fault was there. */
  readonly refused: { calm: number; fault: number };
  /** Operations that were asked for. */
  asked: number;
}

export const newBook = (): Book => ({
  accepted: new Map(),
  problems: [],
  latencies: { calm: [], fault: [] },
  refused: { calm: 0, fault: 0 },
  asked: 0,
});

/** What a client of the load is handed. */
export interface Load {
  readonly house: House;
  readonly standIns: StandIns;
  readonly book: Book;
  readonly random: Random;
  /** False once nothing new is to be said. */
  goesOn(): boolean;
  /** Whether a fault is there, or was a moment ago. */
  isFaulty(): boolean;
}

/** Words of messages; `cuttable` may fail where the provider cuts its answers. */
export const words: readonly [string, ...string[]] = ["plain", "cuttable", "use", "delegate"];
/** A session is left after so many messages. */
export const perSession = 60;
