import { expect, test } from "bun:test";
import fc from "fast-check";
import { planCompaction } from "../../src/agent/compaction-plan.ts";
import { history } from "../../src/agent/history.ts";
import { pastOf, readPath } from "../../src/agent/past.ts";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import * as turns from "../../src/store/turns.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { runs } from "../helpers/long.ts";
import { bytesOf, expectValid, textOf } from "../helpers/valid-history.ts";
import { aSession, aTurn as aTurnRow, now } from "../store/records.ts";
import { forEachStore } from "../store/stores.ts";

const calls = (...ids: string[]) => ids.map((id) => ({ id, name: "time", arguments: "{}" }));

/** What happens in a session, one thing after the other; `jump` goes on from any entry, as a branch does. */
const someStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("say"), size: fc.nat(80) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("answer"), size: fc.nat(80) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("call"), size: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("result"), size: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("jump"), size: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("compact"), size: fc.nat(2000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset"), size: fc.constant(0) }) },
);
type Step = { readonly kind: string; readonly size: number };

const ids = ["a", "b", "c"];
function messageOf({ kind, size }: Step): Message {
  if (kind === "say") return userMessage(`said ${"x".repeat(size)}`);
  if (kind === "answer") return assistantMessage(`answer ${"y".repeat(size)}`);
  if (kind === "call") return assistantMessage("", calls(...ids.slice(0, size)));
  return toolMessage(ids[size % 3] ?? "a", "z".repeat(size));
}

interface Known {
  readonly parent: string | undefined;
  readonly message: Message;
}

/** A session as the steps make it, and the same kept by hand beside. */
async function grown(tx: Tx, id: string, steps: readonly Step[]) {
  await aSession(tx, id);
  const entries = new Map<string, Known>();
  const summaries = new Map<string, Message>();
  let leaf: string | undefined;
  for (const step of steps) {
    if (step.kind === "reset" || step.kind === "jump") {
      leaf = step.kind === "reset" ? undefined : [...entries.keys()][step.size % Math.max(entries.size, 1)];
      await sessions.setLeaf(tx, id, leaf ?? null, now);
    } else if (step.kind === "compact") {
      const { path } = await readPath(tx, leaf, 1e6);
      const plan = planCompaction(path, { keepBytes: step.size, gainBytes: 1 });
      const message = userMessage(`summary ${summaries.size} of ${id}`);
      if (plan === undefined) continue;
      const of = { sessionId: id, turnId: "t", keptFrom: plan.keptFrom.id, message, now };
      expect(await sessions.summarise(tx, of)).toBeString();
      expect(await sessions.summarise(tx, of)).toBeUndefined();
      summaries.set(plan.keptFrom.id, message);
    } else {
      const message = messageOf(step);
      const added = await sessions.append(tx, id, "t", message, now);
      entries.set(added, { parent: leaf, message });
      leaf = added;
    }
  }
  /** What the path to `from` must hold: the originals from the newest summary on, and what was said first. */
  const expected = (from: string | undefined) => {
    const path: Message[] = [];
    let summary: Message | undefined;
    let first: Message | undefined;
    for (let at = from; at !== undefined; at = entries.get(at)?.parent) {
      const known = entries.get(at);
      if (known === undefined) break;
      if (known.message.role === "user") first = known.message;
      if (summary === undefined) path.unshift(known.message);
      summary ??= summaries.get(at);
    }
    return { path, summary, first };
  };
  return { leaf, entries, expected };
}

test("pastOf makes a valid history of any tree with cuts, branches and summaries, from its first message on", async () => {
  const store = await memoryStore();
  let session = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(someStep, { maxLength: 60, size: "max" }),
      fc.nat(),
      fc.integer({ min: 0, max: 12_000 }),
      async (steps, at, window) => {
        await store.write(async (tx) => {
          const { leaf, entries, expected } = await grown(tx, `s${++session}`, steps);
          for (const from of [leaf, [...entries.keys()][at % Math.max(entries.size, 1)]]) {
            const whole = await pastOf(tx, aTurn(), (await readPath(tx, from, 1e6)).path);
            const { path, summary, first } = expected(from);
            expect(whole.entries.map(({ json }) => json)).toEqual(path.map(({ json }) => json));
            expect(whole.summary?.json).toBe(summary?.json as string);

            const past = await pastOf(tx, aTurn(), (await readPath(tx, from, window)).path);
            const sent = history(past, window);
            expectValid(sent);
            if (window >= 6000) expect(bytesOf(sent)).toBeLessThanOrEqual(window);
            if (first !== undefined && window >= 2000)
              expect(sent.map(textOf).join("\n")).toContain(textOf(first));
          }
          // Who walks the parents finds every original, and no summary.
          const page = await sessions.messages(tx, `s${session}`, { limit: 200 });
          expect(page.items.every((item) => entries.has(item.id))).toBe(true);
        });
      },
    ),
    { numRuns: runs(300, 10_000) },
  );
  await store.close();
}, 600_000);

forEachStore(
  "pastOf keeps the question of a turn that goes on though its own messages fill the window",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      await turns.insert(tx, aTurnRow("t1"));
      await sessions.append(tx, "s1", "t0", userMessage("long ago"), now);
      await sessions.append(tx, "s1", "t0", assistantMessage("yes"), now);
      const question = await sessions.append(tx, "s1", "t1", userMessage("what is in it?"), now);
      await turns.start(tx, "t1", { userEntryId: question, now });
      await sessions.append(tx, "s1", "t1", assistantMessage("", calls("a")), now);
      const leaf = await sessions.append(tx, "s1", "t1", toolMessage("a", "x".repeat(900)), now);

      const { path, isCut } = await readPath(tx, leaf, 1100);
      const past = await pastOf(tx, aTurn({ id: "t1", sessionId: "s1", resumed: true }), path);

      expect(isCut).toBe(true);
      expect(past.entries.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
      expect(textOf(past.first)).toBe("long ago");
    });
  },
);

forEachStore("readPath goes through no summary of another branch", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    const stem = await sessions.append(tx, "s1", "t", userMessage("stem"), now);
    const left = await sessions.append(tx, "s1", "t", userMessage("left"), now);
    const of = { turnId: "t", message: userMessage("summary"), now };
    expect(await sessions.summarise(tx, { ...of, sessionId: "s1", keptFrom: left })).toBeString();
    await sessions.setLeaf(tx, "s1", stem, now);
    const right = await sessions.append(tx, "s1", "t", userMessage("right"), now);

    const textsOf = async (leaf: string) =>
      (await readPath(tx, leaf, 1e6)).path.map((entry) => textOf(entry.message));
    expect(await textsOf(left)).toEqual(["summary", "left"]);
    expect(await textsOf(right)).toEqual(["stem", "right"]);
    expect(await textsOf(stem)).toEqual(["stem"]);
    // Nothing comes before the first, and nobody sums up a session of somebody else.
    expect(await sessions.summarise(tx, { ...of, sessionId: "s1", keptFrom: stem })).toBeUndefined();
    expect(await sessions.summarise(tx, { ...of, sessionId: "s2", keptFrom: right })).toBeUndefined();
  });
});
