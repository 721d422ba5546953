import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type RunningExecutable, startExecutable } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { type ChatBody, type ModelServer, scriptedModel, type Step } from "../helpers/model-server.ts";
import { type CorpusEntry, corpus } from "../llm/corpus.ts";
import { eachAtOnce, good, openDoors, type Outcome } from "./doors.ts";

type Said = ChatBody["messages"];

/** One turn: an answer of the corpus, and the places where the network cuts its bytes. */
interface Case {
  readonly entry: CorpusEntry;
  readonly cuts: readonly number[];
}

const afterTools = "So it is.";
const cases = new Map<string, Case>();
/** What the model was sent after it had called tools, by the case. */
const replayed = new Map<string, Said>();

let model: ModelServer;
let server: RunningExecutable;

function cut({ entry, cuts }: Case): readonly Uint8Array[] {
  const bytes = new TextEncoder().encode(entry.bytes);
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, at) => bytes.subarray(places[at], place));
}

function answer({ messages }: ChatBody): Step {
  const name = String(messages.findLast(({ role }) => role === "user")?.content);
  const found = cases.get(name);
  if (found === undefined) return { text: good };
  if (messages.at(-1)?.role !== "tool") return { rawBytes: cut(found) };
  replayed.set(name, messages);
  return { text: afterTools };
}

beforeAll(async () => {
  model = scriptedModel(answer, { keep: 0 });
  server = await startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    // What the corpus calls is refused rather than asked for, where it would change something.
    OPENCLAW_AUTONOMY: "readonly",
    OPENCLAW_LLM_RETRIES: "0",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_CONNECTION_RATE_PER_MINUTE: "0",
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await model.close();
});

/** The calls as they came out, which is how they go back to the model, and each with its result. */
function checkCalls(calls: readonly { name: string; arguments: string; id?: string }[], said: Said) {
  const made = said.findLast(({ role }) => role === "assistant")?.tool_calls ?? [];
  const told = made.map((call) => ({ ...call.function, id: call.id }));
  expect(told).toMatchObject(
    calls.map((call) => ({ name: call.name, arguments: call.arguments, ...(call.id && { id: call.id }) })),
  );
  const results = said.filter(({ role }) => role === "tool").map((each) => each.tool_call_id);
  expect(results.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
}

function checkOutcome(name: string, { entry: { out } }: Case, outcome: Outcome) {
  if ("error" in out) {
    expect(outcome.error).toEqual({ code: out.error, message: expect.stringMatching(out.message) });
    return;
  }
  const { text = "", calls = [], finishReason = "stop" } = out;
  expect(outcome.error).toBeUndefined();
  if (calls.length === 0) {
    expect(outcome).toMatchObject({ text, finishReason });
    return;
  }
  expect(outcome.text).toBe(text === "" ? afterTools : `${text}\n\n${afterTools}`);
  checkCalls(calls, replayed.get(name) ?? []);
}

/** Every answer of the corpus at least once over each door, and cut at other places each time. */
test("openclaw makes of each answer of the corpus what it means, over every door", async () => {
  const places = fc.array(fc.nat(), { maxLength: 8 });
  const rounds = runs(2, 25);
  for (let round = 0; round < rounds; round++) {
    using doors = await openDoors(server.url);
    for (const [door, say] of doors.all) {
      const seed = round * 1000 + door.length;
      const cuts = fc.sample(places, { seed, numRuns: corpus.length });
      const mine = corpus.map((entry, at): Case => ({ entry, cuts: cuts[at] ?? [] }));
      await eachAtOnce(mine, 16, async (each) => {
        const name = `${each.entry.name} over ${door}, ${seed}`;
        cases.set(name, each);
        try {
          checkOutcome(name, each, await say(name));
        } catch (error) {
          throw new Error(`${name}, cut at ${each.cuts.join(" ")}`, { cause: error });
        }
      });
      cases.clear();
      replayed.clear();
      expect((await say(good)).text).toBe(good);
    }
  }
}, 600_000);
