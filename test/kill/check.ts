import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import type { Talk } from "./client.ts";
import { answerOf, fileOf, linesIn, logOf, type PlannedCall, planOf, textOf } from "./script.ts";

const Message = v.looseObject({
  role: v.string(),
  content: v.nullish(v.string()),
  tool_call_id: v.optional(v.string()),
  tool_calls: v.optional(v.array(v.looseObject({ id: v.string() })), []),
});
type Message = v.InferOutput<typeof Message>;
const Page = v.looseObject({
  items: v.array(v.looseObject({ message: Message })),
  next: v.optional(v.string()),
});
const State = v.looseObject({ state: v.string() });

const readJson = async (url: string) => (await fetch(url)).json();

/** All messages of a session, oldest first, as a client reads them. */
async function historyOf(url: string, session: string): Promise<Message[]> {
  const pages: Message[][] = [];
  let cursor = "";
  do {
    const path = `/api/sessions/${session}/messages?limit=200${cursor && `&cursor=${cursor}`}`;
    const page = v.parse(Page, await readJson(`${url}${path}`));
    pages.unshift(page.items.map((item) => item.message));
    cursor = page.next ?? "";
  } while (cursor !== "");
  return pages.flat();
}

const unknown = /outcome is unknown/;

/** What is wrong with the messages that one call left, seen against the files. */
function callProblem(talk: Talk, n: number, call: PlannedCall, result: string, workspace: string) {
  const { session } = talk;
  if (call.name === "read_file") return result.includes("seed") ? undefined : `read_file said "${result}"`;
  const ran =
    call.name === "write_file"
      ? existsSync(join(workspace, fileOf(session, n)))
      : linesIn(readFileSync(join(workspace, logOf(session)), "utf8")).includes(`${session}/${n}`);
  if (unknown.test(result)) return undefined;
  if (!ran) return `${call.name} said "${result}" and left nothing`;
  return /^(Created|Replaced one piece)/.test(result) ? undefined : `${call.name} said "${result}"`;
}

/** Walks a history beside what it must be. */
function* historyProblems(talk: Talk, messages: readonly Message[], workspace: string): Generator<string> {
  const { session } = talk;
  let at = 0;
  const next = () => messages[at++];
  for (let n = 0; n < talk.said; n++) {
    const user = next();
    if (user?.role !== "user" || user.content !== textOf(session, n))
      return yield `where ${textOf(session, n)} belongs stands ${JSON.stringify(user)}`;
    for (const calls of planOf(session, n)) {
      const asked = next()?.tool_calls.map((call) => call.id);
      const ids = calls.map((call) => call.id);
      if (!isDeepStrictEqual(asked, ids)) return yield `${session}/${n} asked ${asked} where ${ids} belongs`;
      // Results stand in the order in which they came.
      const results = new Map(calls.map(() => next()).map((each) => [each?.tool_call_id, each?.content]));
      for (const call of calls) {
        const result = results.get(call.id);
        const problem =
          typeof result === "string" ? callProblem(talk, n, call, result, workspace) : "has no result";
        if (problem !== undefined) yield `${call.id}: ${problem}`;
      }
    }
    const answer = next();
    if (answer?.role !== "assistant" || answer.content !== answerOf(session, n))
      return yield `where ${answerOf(session, n)} belongs stands ${JSON.stringify(answer)}`;
  }
  if (at < messages.length) yield `${messages.length - at} messages more than were said and answered`;
}

export interface Findings {
  readonly problems: readonly string[];
  /** Calls that were running when the server was killed. */
  readonly unknownOutcomes: number;
}

/** Everything that is wrong with a session after all its messages were answered. */
export async function check(url: string, talk: Talk, workspace: string): Promise<Findings> {
  const { session } = talk;
  const messages = await historyOf(url, session);
  const problems = [...talk.problems, ...historyProblems(talk, messages, workspace)];
  const lines = linesIn(readFileSync(join(workspace, logOf(session)), "utf8"));
  const twice = lines.filter((line, at) => lines.indexOf(line) < at);
  if (twice.length > 0) problems.push(`a tool ran again for ${twice.join(" ")}`);
  for (const [n, turn] of talk.turns) {
    const { state } = v.parse(State, await readJson(`${url}/api/turns/${turn}`));
    if (state !== "done") problems.push(`the turn ${turn} of message ${n} is ${state}`);
  }
  const unknownOutcomes = messages.filter((each) => unknown.test(each.content ?? "")).length;
  return { problems: problems.map((problem) => `${session}: ${problem}`), unknownOutcomes };
}
