import * as v from "valibot";
import { assistantMessage, type Message, toolMessage, userMessage } from "../llm/message.ts";
import { weightOf } from "../llm/pictures.ts";
import { shortened } from "./shorten.ts";

const lostResult = "[The result of this call is not known: the turn was cut before it was stored.]";
/** Some providers take no user message right behind a result, and none takes two answers in a row. */
const noAnswer = assistantMessage("[No answer was given here.]");
const noQuestion = userMessage("[Nothing was said here.]");

const blank = /^\{"role":"assistant","content":"(?:\s|\\[fnrt])*"/;
/** Providers refuse an answer that neither says nor calls anything, though models give such ones. */
const saysNothing = ({ json, callIds }: Message) => callIds.length === 0 && blank.test(json);

/** What a person said, an answer, or an answer with the results of its calls: what is kept or left out whole. */
export interface Round {
  readonly role: "user" | "assistant";
  readonly messages: readonly Message[];
  readonly bytes: number;
}

export const bytesOf = (messages: readonly Message[]) =>
  messages.reduce((sum, message) => sum + weightOf(message), 0);

const round = (role: Round["role"], messages: readonly Message[]): Round => ({
  role,
  messages,
  bytes: bytesOf(messages),
});

const Said = v.object({ content: v.union([v.string(), v.array(v.looseObject({}))]) });

/** User messages as one, because providers want question and answer in turns. Only several of them are read. */
export function joined(messages: readonly Message[]): Message {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined) return only;
  const contents = messages.map((message) => v.parse(Said, JSON.parse(message.json)).content);
  if (contents.every((content) => typeof content === "string")) return userMessage(contents.join("\n\n"));
  const parts = contents.flatMap((content) => {
    if (typeof content !== "string") return content;
    return content === "" ? [] : [{ type: "text", text: content }];
  });
  return userMessage(parts);
}

/** The answer with exactly one result for each of its calls, in their order; what came without a call is left out. */
function answered(answer: Message, results: readonly Message[]): Message[] {
  const found = new Map<string, Message>();
  for (const result of results) {
    const id = result.callIds[0];
    if (id !== undefined && !found.has(id)) found.set(id, result);
  }
  return [answer, ...answer.callIds.map((id) => found.get(id) ?? toolMessage(id, lostResult))];
}

/** The results behind an answer. They may stand behind a message that came in between, and belong to it all the same. */
function resultsAfter(entries: readonly Message[], at: number): Message[] {
  const results: Message[] = [];
  for (let next = at + 1; next < entries.length; next++) {
    const later = entries[next];
    if (later?.role === "assistant") break;
    if (later?.role === "tool") results.push(later);
  }
  return results;
}

/** What has to stand behind a round before the next one may follow. */
function filler(messages: readonly Message[], next: "user" | "assistant"): readonly Message[] {
  const last = messages.at(-1)?.role;
  if (next === "user") return last === "tool" ? [noAnswer] : [];
  return last === "assistant" ? [noQuestion] : [];
}

/**
 * The messages in turns: what people said, then an answer with its results, and so on. Each call has exactly one
 * result, in the order of the calls, and a result longer than `maxResultBytes` is shortened.
 */
export function roundsOf(entries: readonly Message[], maxResultBytes: number): Round[] {
  const all: Round[] = [];
  let said: Message[] = [];
  let answer: readonly Message[] = [];
  const endAnswer = (next: "user" | "assistant" | "nothing") => {
    if (answer.length === 0) return;
    all.push(round("assistant", next === "nothing" ? answer : [...answer, ...filler(answer, next)]));
    answer = [];
  };
  const endSaid = () => {
    if (said.length > 0) all.push(round("user", [joined(said)]));
    said = [];
  };
  for (const [at, entry] of entries.entries()) {
    if (entry.role === "user") {
      endAnswer("user");
      said.push(entry);
    }
    if (entry.role === "assistant") {
      endSaid();
      endAnswer("assistant");
      const results = entry.callIds.length === 0 ? [] : resultsAfter(entries, at);
      answer = answered(
        saysNothing(entry) ? noAnswer : entry,
        results.map((result) => shortened(result, maxResultBytes)),
      );
    }
  }
  endSaid();
  endAnswer("nothing");
  return all;
}
