import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  countingProvider,
  cutWords,
  saying,
  type Told,
  type Word,
  words,
} from "./helpers/counting-provider.ts";
import { type Door, doors, isKept, keptDoors, say } from "./helpers/doors.ts";
import { type InProcess, startInProcess } from "./helpers/in-process.ts";
import { runs } from "./helpers/long.ts";

interface Asked {
  readonly door: Door;
  readonly word: Word;
}

interface Spending {
  readonly calls: number;
  readonly estimatedCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const read = async (server: InProcess, query: string) => (await server.ask(`/api/usage${query}`)).json();
const readBy = async (server: InProcess, key: string): Promise<(Spending & { key: string })[]> =>
  (await read(server, `?by=${key}`)).items;

const total = (rows: readonly Spending[]) => {
  const sum = (count: (row: Spending) => number) => rows.reduce((all, row) => all + count(row), 0);
  return [
    sum((row) => row.calls),
    sum((row) => row.estimatedCalls),
    sum((row) => row.inputTokens),
    sum((row) => row.outputTokens),
  ];
};

/** What the ledger has to say where the provider told all that it did. */
function toldBy(all: readonly Told[]): Spending {
  const calls = all.flatMap((each) => each.calls);
  const cut = all.reduce((sum, each) => sum + each.cut, 0);
  return {
    calls: calls.length + cut,
    estimatedCalls: cut,
    inputTokens: calls.reduce((sum, { input }) => sum + input, 0),
    outputTokens: calls.reduce((sum, { output }) => sum + output, 0),
  };
}

/** What the ledger says once it has all the calls: a turn whose client went away ends behind it. */
async function settled(server: InProcess, expected: () => Spending): Promise<Spending> {
  let all: Spending = await read(server, "");
  for (let tries = 0; all.calls < expected().calls && tries < 1500; tries++) {
    await Bun.sleep(10);
    all = await read(server, "");
  }
  return all;
}

const longTurns = 7;
const padding = "count ".repeat(180);

/** A session has one word; a long one is asked so often that its older part has to be summed up. */
async function askFor(server: InProcess, { door, word }: Asked, session: string) {
  const text = saying(word, session, word === "long" ? padding : "");
  for (let turn = 0; turn < (word === "long" ? longTurns : 1); turn++)
    await say(server, { door, text, session, leaves: word === "hang" });
}

const everyDoorAndWord = doors.flatMap((door) => words.map((word) => ({ door, word })));
const randomTurns = fc.array(
  fc.record({ door: fc.constantFrom(...doors), word: fc.constantFrom(...words) }),
  {
    minLength: 15,
    maxLength: 30,
  },
);

test("the ledger's sum is what the providers told, whatever door, tool, delegate, retry, fallback, summary or cut there was", async () => {
  await fc.assert(
    fc.asyncProperty(randomTurns, fc.integer({ min: 1, max: 1e6 }), async (list, seed) => {
      await using providers = countingProvider(seed);
      await using server = await startInProcess({
        ...providers.env,
        OPENCLAW_PRICES: '{"scripted":{"input":1,"output":2}}',
      });
      await Promise.all(list.map((asked, at) => askFor(server, asked, `s${at}`)));

      const { told } = providers;
      const expected = () => toldBy([...told.values()]);
      const all = await settled(server, expected);
      expect(told.size).toBe(list.length);
      const { calls, estimatedCalls, inputTokens, outputTokens } = expected();
      expect([all.calls, all.estimatedCalls]).toEqual([calls, estimatedCalls]);
      // What was cut is estimated on top of what was told.
      expect(all.inputTokens).toBeGreaterThanOrEqual(inputTokens + estimatedCalls);
      expect(all.outputTokens).toBeGreaterThanOrEqual(outputTokens);
      for (const key of ["day", "model", "session", "channel", "principal"])
        expect(total(await readBy(server, key))).toEqual(total([all]));

      // A session in which nothing was cut has what it was told to the token.
      const sessions = new Map((await readBy(server, "session")).map((row) => [row.key, row]));
      for (const [at, { door, word }] of list.entries()) {
        const of = told.get(`s${at}`);
        if (!isKept(door) || of === undefined || cutWords.includes(word)) continue;
        const row = sessions.get(`s${at}`);
        const { calls, inputTokens, outputTokens } = toldBy([of]);
        expect({ door, word, ledger: row && total([row]) }).toEqual({
          door,
          word,
          ledger: calls === 0 ? undefined : [calls, 0, inputTokens, outputTokens],
        });
        if (word === "long") expect(of.summaries).toBeGreaterThan(0);
      }
    }),
    { numRuns: runs(8, 80), endOnFailure: true, examples: [[everyDoorAndWord, 1]] },
  );
}, 60_000);

test("no session exceeds a budget by more than the one call that is under way in it", async () => {
  const spends: readonly Word[] = ["plain", "tool", "delegate", "busy", "down", "long"];
  const asking = fc.array(
    fc.record({
      door: fc.constantFrom(...keptDoors),
      word: fc.constantFrom(...spends),
      session: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 16, maxLength: 30 },
  );
  const budgets = fc.record({
    session: fc.constantFrom(0, 2000, 5000),
    day: fc.constantFrom(0, 5000, 12_000),
    turn: fc.constantFrom(0, 1500),
  });
  const one = { session: 2000, day: 0, turn: 0 } as const;
  const pressed = Array.from({ length: 8 }, () => ({
    door: "ws" as const,
    word: "tool" as const,
    session: 0,
  }));
  await fc.assert(
    fc.asyncProperty(asking, budgets, fc.integer({ min: 1, max: 1e6 }), async (list, most, seed) => {
      await using providers = countingProvider(seed);
      await using server = await startInProcess({
        ...providers.env,
        OPENCLAW_SESSION_TOKEN_BUDGET: String(most.session),
        OPENCLAW_DAILY_TOKEN_BUDGET: String(most.day),
        OPENCLAW_TURN_TOKEN_BUDGET: String(most.turn),
      });
      await Promise.all(
        list.map(({ door, word, session }) => {
          const text = saying(word, `s${session}`, word === "long" ? padding : "");
          return say(server, { door, text, session: `s${session}` });
        }),
      );

      // The first call fits all of them.
      expect(providers.told.size).toBeGreaterThan(0);
      const sums = [...providers.told.values()].map(({ calls }) => {
        const tokens = calls.map(({ input, output }) => input + output);
        return tokens.slice(0, -1).reduce((sum, each) => sum + each, 0);
      });
      const before = sums.reduce((sum, each) => sum + each, 0);
      if (most.session > 0) for (const sum of sums) expect(sum).toBeLessThan(most.session);
      if (most.day > 0) expect(before).toBeLessThan(most.day);
      const expected = () => toldBy([...providers.told.values()]);
      expect(total([await settled(server, expected)])).toEqual(total([expected()]));
    }),
    { numRuns: runs(10, 100), endOnFailure: true, examples: [[pressed, one, 1]] },
  );
}, 60_000);
