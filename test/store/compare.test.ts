import { expect, test } from "bun:test";
import fc from "fast-check";
import { assistantMessage, noUsage, toolMessage, userMessage } from "../../src/llm/message.ts";
import * as branches from "../../src/store/branches.ts";
import { compare, mostCompared } from "../../src/store/compare.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import * as turns from "../../src/store/turns.ts";
import { runs } from "../helpers/long.ts";
import { aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

async function grow(tx: Tx, texts: readonly string[]) {
  const ids: string[] = [];
  for (const text of texts) ids.push(await sessions.append(tx, "s1", undefined, userMessage(text), now));
  return ids;
}

async function comparing(tx: Tx, left: string, right: string, limit = 200) {
  const session = await sessions.find(tx, "s1");
  if (session === undefined) throw new Error("The session is missing.");
  return compare(tx, session, { left, right, limit });
}

const idsOf = ({ entries }: { entries: readonly sessions.Entry[] }) => entries.map(({ id }) => id);

async function inSession(store: Store, act: (tx: Tx) => Promise<void>) {
  await store.write((tx) => aSession(tx));
  await store.write(act);
}

forEachStore("compare tells the common stem once, and then what each side has alone", async (store) => {
  await inSession(store, async (tx) => {
    const stem = await grow(tx, ["one", "two"]);
    await branches.create(tx, "s1", { name: "fork", now });
    const left = await grow(tx, ["l1", "l2", "l3"]);
    await branches.create(tx, "s1", { name: "left", now });
    await branches.restore(tx, "s1", "fork", now);
    const right = await grow(tx, ["r1"]);

    const found = await comparing(tx, "left", "leaf");

    expect(idsOf(found.stem)).toEqual(stem);
    expect(idsOf(found.left)).toEqual(left);
    expect(idsOf(found.right)).toEqual(right);
    expect(found.left.place).toEqual({ entryId: left[2] ?? "", depth: 5 });
    expect([found.stem.more, found.left.more, found.right.more]).toEqual([0, 0, 0]);
    expect(idsOf((await comparing(tx, "fork", "left")).left)).toEqual([]);
    expect(idsOf((await comparing(tx, right[0] ?? "", left[0] ?? "")).right)).toEqual(left.slice(0, 1));
  });
});

forEachStore("compare counts tool calls, tokens and time of each side", async (store) => {
  await inSession(store, async (tx) => {
    const turn = async (id: string, at: number, calls: readonly string[]) => {
      await turns.insert(tx, aTurn(id));
      await turns.start(tx, id, { now: at });
      const say = (message: Parameters<typeof sessions.append>[3], time: number) =>
        sessions.append(tx, "s1", id, message, time);
      await say(userMessage("go"), at);
      await say(
        assistantMessage(
          "",
          calls.map((call) => ({ id: call, name: "time", arguments: "{}" })),
        ),
        at + 10,
      );
      for (const call of calls) await say(toolMessage(call, "noon"), at + 20);
      const last = await say(assistantMessage("done"), at + 30);
      const usage = { ...noUsage, inputTokens: 100 * calls.length, outputTokens: 7 };
      await turns.finish(tx, id, { state: "done", usage, now: at + 40 });
      return last;
    };
    const left = await turn("left", now, ["a", "b"]);
    await branches.restore(tx, "s1", "root", now);
    const right = await turn("right", now + 1000, ["c"]);

    const found = await comparing(tx, left, right);

    expect(found.left).toMatchObject({ toolCalls: 2, inputTokens: 200, outputTokens: 7, durationMs: 40 });
    expect(found.left).toMatchObject({ startedAt: now, endedAt: now + 30 });
    expect(found.right).toMatchObject({ toolCalls: 1, inputTokens: 100, startedAt: now + 1000 });
    const same = await comparing(tx, right, right);
    expect(same.left).toMatchObject({ entries: [], toolCalls: 0, inputTokens: 0, durationMs: 0 });
    expect([same.left.startedAt, same.left.endedAt]).toEqual([undefined, undefined]);
    expect(same.stem.entries).toHaveLength(4);
  });
});

forEachStore(
  "compare tells of each stretch its newest entries and how many more there are",
  async (store) => {
    await inSession(store, async (tx) => {
      const stem = await grow(
        tx,
        Array.from({ length: 30 }, (_, number) => `stem ${number}`),
      );
      await branches.create(tx, "s1", { name: "fork", now });
      const left = await grow(
        tx,
        Array.from({ length: 12 }, (_, number) => `left ${number}`),
      );

      const found = await comparing(tx, "leaf", "fork", 5);

      expect(idsOf(found.stem)).toEqual(stem.slice(-5));
      expect(idsOf(found.left)).toEqual(left.slice(-5));
      expect([found.stem.more, found.left.more, found.right.more]).toEqual([25, 7, 0]);
      const older = await sessions.messages(tx, "s1", {
        cursor: found.left.entries[0]?.parentId ?? "",
        limit: 7,
      });
      expect(older.items.map(({ id }) => id)).toEqual(left.slice(0, 7));
    });
  },
);

forEachStore("compare agrees with the paths themselves, in any tree", async (store) => {
  let made = 0;
  // A tree as the parent of each entry: an earlier one, or the root.
  const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(parents, fc.nat(), fc.nat(), async (tree, one, other) => {
      const id = `tree-${made++}`;
      await store.write(async (tx) => {
        await aSession(tx, id);
        const ids: string[] = [];
        const paths: string[][] = [[]];
        for (const parent of tree) {
          const at = parent % (ids.length + 1);
          await sessions.setLeaf(tx, id, ids[at - 1] ?? null, now);
          const entry = await sessions.append(tx, id, undefined, userMessage("x"), now);
          ids.push(entry);
          paths.push([...(paths[at] ?? []), entry]);
        }
        const left = paths[one % paths.length] ?? [];
        const right = paths[other % paths.length] ?? [];
        const session = (await sessions.find(tx, id)) ?? expect.unreachable();
        const found = await compare(tx, session, {
          left: left.at(-1) ?? "root",
          right: right.at(-1) ?? "root",
          limit: 200,
        });
        const stem = left.filter((entry, at) => entry === right[at]);
        expect(idsOf(found.stem)).toEqual(stem);
        expect(idsOf(found.left)).toEqual(left.slice(stem.length));
        expect(idsOf(found.right)).toEqual(right.slice(stem.length));
      });
    }),
    { numRuns: runs(150, 3000), seed: 7 },
  );
});

// On PostgreSQL the way to the server takes longer than either.
test("compare looks at what differs, not at what is common", async () => {
  const store = await memoryStore();
  await inSession(store, async (tx) => {
    await grow(
      tx,
      Array.from({ length: 2000 }, (_, number) => `stem ${number}`),
    );
    await branches.create(tx, "s1", { name: "fork", now });
    const [left = ""] = await grow(tx, ["left"]);
    await branches.restore(tx, "s1", "fork", now);
    const [right = ""] = await grow(tx, ["right"]);
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 7; attempt++) {
      const begin = performance.now();
      await comparing(tx, left, right, 5);
      least = Math.min(least, performance.now() - begin);
    }
    const begin = performance.now();
    await comparing(tx, "root", right, 5);
    const whole = performance.now() - begin;
    expect(least).toBeLessThan(whole / 5);
  });
  await store.close();
});

forEachStore("compare refuses two sides that are too long to be walked at once", async (store) => {
  // A path of its own making: appending so many would take the longest.
  await store.write(async (tx) => {
    await aSession(tx);
    const chain = mostCompared + 2;
    await tx`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${chain})
      INSERT INTO entries (id, parent_id, session_id, turn_id, depth, role, bytes, created_at, call_ids, message)
      SELECT CAST(10000000 + i AS TEXT) || '-0000-4000-8000-000000000000',
        CASE WHEN i = 1 THEN NULL ELSE CAST(9999999 + i AS TEXT) || '-0000-4000-8000-000000000000' END,
        's1', NULL, i, 'user', 2, 1, '', '{}'
      FROM n`;
    const idOf = (depth: number) => `${10_000_000 + depth}-0000-4000-8000-000000000000`;
    const begin = performance.now();
    expect((await comparing(tx, idOf(2), idOf(chain), 1)).right.more).toBe(chain - 3);
    expect(performance.now() - begin).toBeLessThan(5000);
    await expect(comparing(tx, idOf(1), idOf(chain), 1)).rejects.toMatchObject({ code: "payload_too_large" });
  });
});
