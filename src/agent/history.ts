import { type Message, userMessage } from "../llm/message.ts";
import { bytesOf, joined, type Round, roundsOf } from "./rounds.ts";
import { shortened, shortenedText } from "./shorten.ts";

/** A conversation as it was read from its newest message back. */
export interface Past {
  /** The newest messages, oldest first. */
  readonly entries: readonly Message[];
  /** What a person said first, where the entries do not reach back to it. */
  readonly first?: Message;
  /** What a model wrote of all that comes before the entries. */
  readonly summary?: Message;
}

const earlierLeftOut = userMessage("[Messages are left out here: they do not fit.]");
const stepsLeftOut = userMessage("[The first steps of the work on this are left out here: they do not fit.]");

const sum = (rounds: readonly Round[]) => rounds.reduce((total, { bytes }) => total + bytes, 0);

/** The newest round: without it the model would ask for the same again, so its results are shortened until it fits. */
function squeezed(newest: Round, maxBytes: number): Round {
  const { role, messages, bytes } = newest;
  const results = messages.filter((message) => message.role === "tool");
  if (bytes <= maxBytes || results.length === 0) return newest;
  const each = Math.floor((maxBytes - bytes + bytesOf(results)) / results.length);
  const fitting = messages.map((message) => (message.role === "tool" ? shortened(message, each) : message));
  return { role, messages: fitting, bytes: bytesOf(fitting) };
}

/** The sequence that is sent: a person begins, and what was said in a row at the beginning is one message. */
function begun(messages: readonly Message[]): Message[] {
  const rest = messages.findIndex((message) => message.role !== "user");
  const said = rest === -1 ? messages : messages.slice(0, rest);
  if (said.length === 0) return messages.length === 0 ? [] : [earlierLeftOut, ...messages];
  return [joined(said), ...messages.slice(said.length)];
}

/**
 * Of a conversation that does not fit: what was said first, the summary, the question of the turn and the newest
 * round in any case, each shortened where it is very long, and of the rest the newest.
 */
function cut(past: Past, all: readonly Round[], maxBytes: number): Message[] {
  const firstAt = all.findIndex((each) => each.role === "user");
  const questionAt = all.findLastIndex((each) => each.role === "user");
  const questionIsFirst = past.first === undefined && firstAt === questionAt;
  const first = past.first ?? (questionIsFirst ? undefined : all[firstAt]?.messages[0]);
  const short = (message: Message | undefined) =>
    message === undefined ? [] : [shortenedText(message, Math.floor(maxBytes / 8))];
  const opening = [...short(first), ...short(past.summary)];
  const question = (all[questionAt]?.messages ?? []).map((message) =>
    shortened(message, Math.floor(maxBytes / 2)),
  );

  let left = maxBytes - bytesOf([...opening, ...question, earlierLeftOut, stepsLeftOut]);
  let from = all.length;
  const kept: Message[][] = [];
  for (; from > 0; from--) {
    const next = all[from - 1];
    if (next === undefined) break;
    const isNewest = from === all.length;
    const isQuestion = from - 1 === questionAt;
    // The question was counted already.
    const whole = isQuestion ? { messages: question, bytes: 0 } : next;
    const { messages, bytes } = isNewest && !isQuestion ? squeezed(next, left) : whole;
    if (bytes > left && !isNewest && !isQuestion) break;
    left -= bytes;
    kept.unshift([...messages]);
  }

  const isWhole = questionIsFirst || (past.first === undefined && from <= firstAt);
  const before = isWhole ? short(past.summary) : [...opening, earlierLeftOut];
  const steps = from > questionAt + 1 && question.length > 0 ? [stepsLeftOut] : [];
  const asked = from > questionAt ? [...question, ...steps] : [];
  return begun([...before, ...asked, ...kept.flat()]);
}

/**
 * What a model is sent of a conversation: a valid sequence whatever was cut, cancelled or lost (each call has exactly
 * one result, in the order of the calls; questions and answers take turns, and a person begins), at most `maxBytes`
 * long, the newest rounds first to survive. What fits as it is, is not read.
 */
export function history(past: Past, maxBytes: number): Message[] {
  const all = roundsOf(past.entries, Math.floor(maxBytes / 4));
  const opening = [past.first, past.summary].filter((message) => message !== undefined);
  const beginsWithAnswer = opening.length === 0 && all[0]?.role === "assistant";
  if (beginsWithAnswer || (past.first !== undefined && past.summary === undefined))
    opening.push(earlierLeftOut);
  if (bytesOf(opening) + sum(all) > maxBytes) return cut(past, all, maxBytes);
  return begun([...opening, ...all.flatMap((each) => each.messages)]);
}

/** The ids of calls in the last answer that have no result yet. */
export function unansweredCalls(entries: readonly Message[]): readonly string[] {
  const at = entries.findLastIndex((entry) => entry.role === "assistant" || entry.role === "user");
  const last = entries[at];
  if (last === undefined || last.role !== "assistant") return [];
  const answeredIds = new Set(entries.slice(at + 1).flatMap((entry) => entry.callIds));
  return last.callIds.filter((id) => !answeredIds.has(id));
}
