import { type Message, toolMessage } from "../llm/message.ts";

const lostResult = "[The result of this call is not known: the turn was cut before it was stored.]";

/** A user message, an answer, or an answer with the results of its calls: what may only be kept or left out whole. */
interface Round {
  readonly role: Message["role"];
  readonly messages: readonly Message[];
  readonly bytes: number;
}

const round = (messages: readonly Message[]): Round => ({
  role: messages[0]?.role ?? "user",
  messages,
  bytes: messages.reduce((sum, message) => sum + message.json.length, 0),
});

/** The answer with exactly one result for each of its calls, in their order; what came without a call is left out. */
function answered(answer: Message, results: readonly Message[]): Round {
  const found = new Map<string, Message>();
  for (const result of results) {
    const id = result.callIds[0];
    if (id !== undefined && !found.has(id)) found.set(id, result);
  }
  return round([answer, ...answer.callIds.map((id) => found.get(id) ?? toolMessage(id, lostResult))]);
}

function rounds(entries: readonly Message[]): Round[] {
  const all: Round[] = [];
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at];
    if (entry === undefined || entry.role === "tool") continue;
    if (entry.callIds.length === 0) {
      all.push(round([entry]));
      continue;
    }
    const results: Message[] = [];
    // Results may stand behind a message that came in between; they belong to the answer all the same.
    for (const later of entries.slice(at + 1)) {
      if (later.role === "assistant") break;
      if (later.role === "tool") results.push(later);
    }
    all.push(answered(entry, results));
  }
  return all;
}

/**
 * What a model is sent of a conversation: a valid sequence whatever was cut, cancelled or lost (each call has exactly
 * one result, in the order of the calls), at most `maxBytes` long, the newest rounds first to survive and the last
 * user message with what follows it always.
 */
export function history(entries: readonly Message[], maxBytes: number): Message[] {
  const all = rounds(entries);
  const lastUser = all.findLastIndex((each) => each.role === "user");
  let left = maxBytes - (all[lastUser]?.bytes ?? 0);
  let from = all.length;
  for (; from > 0; from--) {
    if (from - 1 === lastUser) continue;
    left -= all[from - 1]?.bytes ?? 0;
    // The newest round goes along whatever its size: without it the model would ask for the same again.
    if (left < 0 && from < all.length) break;
  }
  const kept = all.slice(from);
  const question = all[lastUser];
  if (question !== undefined && from > lastUser) return [question, ...kept].flatMap((each) => each.messages);
  // A conversation begins with what a person said, never with an answer to something left out.
  const firstUser = kept.findIndex((each) => each.role !== "assistant");
  return kept.slice(Math.max(firstUser, 0)).flatMap((each) => each.messages);
}

/** The ids of calls in the last answer that have no result yet. */
export function unansweredCalls(entries: readonly Message[]): readonly string[] {
  const at = entries.findLastIndex((entry) => entry.role === "assistant" || entry.role === "user");
  const last = entries[at];
  if (last === undefined || last.role !== "assistant") return [];
  const answeredIds = new Set(entries.slice(at + 1).flatMap((entry) => entry.callIds));
  return last.callIds.filter((id) => !answeredIds.has(id));
}
