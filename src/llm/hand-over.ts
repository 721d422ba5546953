import { cancelled } from "../errors.ts";
import type { LlmEvent } from "./llm.ts";

/**
 * Wrappers of a model watch over the beginning of an answer (until its first token) and over its end. What is between
 * costs next to nothing, however many there are: the rest of an answer is handed through as it is.
 */

type Step = IteratorResult<LlmEvent, unknown>;

export interface Events {
  next(): Promise<Step>;
  return(): Promise<unknown>;
}

/** The first token of an answer, and where the rest comes from. */
interface Handed {
  readonly first: Step;
  readonly rest: Events;
}

/** What comes before the first token: it may say something (a status), and returns what it hands over. */
export type Opening = AsyncGenerator<LlmEvent, Handed, undefined>;

interface HandedOver extends Events, AsyncIterable<LlmEvent> {
  /** Set once the first token is out. */
  readonly rest: Events | undefined;
}

/** An answer whose beginning somebody watches over. */
export function handOver(opening: Opening): AsyncIterable<LlmEvent> {
  let rest: Events | undefined;
  const begin = async (): Promise<Step> => {
    const step = await opening.next();
    if (!step.done) return step;
    rest = step.value.rest;
    return step.value.first;
  };
  const answer: HandedOver = {
    get rest() {
      return rest;
    },
    next: () => (rest ? rest.next() : begin()),
    async return() {
      if (rest) await rest.return();
      // Whatever the opening holds it lets go of itself.
      else await opening.return({ first: over, rest: nothing });
      return over;
    },
    [Symbol.asyncIterator]: () => ({ next: answer.next, return: async () => (await answer.return(), over) }),
  };
  return answer;
}

const over = { done: true, value: undefined } as const;
const nothing: Events = { next: async () => over, return: async () => over };

/** The events of an answer from its beginning. */
export function eventsOf(answer: AsyncIterable<LlmEvent>): Events {
  if (isHandedOver(answer)) return answer;
  const events = answer[Symbol.asyncIterator]();
  return { next: () => events.next(), return: async () => events.return?.() };
}

const isHandedOver = (answer: object): answer is HandedOver => "rest" in answer;

/** Pulls an answer up to its first token, passing on what it says before that, and closes it when it is left before. */
export async function* toFirstToken(events: Events): Opening {
  let isHanded = false;
  try {
    for (;;) {
      const first = await events.next();
      if (first.done || first.value.type !== "status") {
        isHanded = true;
        // What has handed over itself need not be asked any more.
        const rest = isHandedOver(events) ? (events.rest ?? events) : events;
        return { first, rest };
      }
      yield first.value;
    }
  } finally {
    if (!isHanded) await events.return();
  }
}

/** Told once how an answer ended: well, by an error, or left by its reader (`cancelled`). */
type Ended = (error?: unknown) => void;

interface Observed extends Events {
  observe(ended: Ended): void;
}

const isObserved = (events: object): events is Observed => "observe" in events;

/** The same events; `ended` is told when the answer is there, when it fails, and when it is left before. */
export function whenEnded({ first, rest }: Handed, ended: Ended): Handed {
  if (first.done || first.value.type === "answer") {
    ended();
    return { first, rest };
  }
  const observed = isObserved(rest) ? rest : observe(rest);
  observed.observe(ended);
  return { first, rest: observed };
}

function observe(events: Events): Observed {
  let observers: Ended[] = [];
  const tell = (error?: unknown) => {
    const told = observers;
    observers = [];
    for (const ended of told) ended(error);
  };
  const look = (step: Step) => {
    if (step.done || step.value.type === "answer") tell();
  };
  return {
    observe: (ended) => void observers.push(ended),
    next() {
      const step = events.next();
      step.then(look, tell);
      return step;
    },
    async return() {
      try {
        await events.return();
      } finally {
        if (observers.length > 0) tell(cancelled());
      }
    },
  };
}
