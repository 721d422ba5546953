import { expect } from "bun:test";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import { countAnswers } from "../../src/store/entries.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const append = (tx: Tx, message: Message, session = "s1") => sessions.append(tx, session, "t1", message, now);
const leafOf = async (tx: Tx, session = "s1") => (await sessions.find(tx, session))?.leafId ?? "";

forEachStore("append puts each message after the one before, and reads it back as it was", async (store) => {
  const call = { id: "call_1", name: "time", arguments: "{}" };
  const messages = [
    userMessage("what time is it? \0 ünïcode 🎉"),
    assistantMessage("", [call, { ...call, id: 'call "2"\nand a line' }]),
    toolMessage("call_1", "noon"),
    assistantMessage("noon"),
  ];
  await store.write(async (tx) => {
    await aSession(tx);
    for (const message of messages) await append(tx, message);
  });
  const entries = await store.read(async (tx) => sessions.path(tx, await leafOf(tx), 1e6));
  expect(entries.map(({ message }) => message)).toEqual(
    messages.map(({ role, json, callIds }) => ({ role, json, callIds })),
  );
  expect(entries.map(({ parentId }) => parentId)).toEqual([
    undefined,
    ...entries.slice(0, -1).map(({ id }) => id),
  ]);
  expect(entries[0]).toMatchObject({ sessionId: "s1", turnId: "t1", createdAt: now });
  expect(await store.read((tx) => sessions.entry(tx, entries[1]?.id ?? ""))).toEqual(entries[1]);
  expect(await store.read((tx) => sessions.entry(tx, "nothing"))).toBeUndefined();
});

forEachStore("append grows another branch where the session was pointed back to", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    const root = await append(tx, userMessage("root"));
    const left = await append(tx, userMessage("left"));
    await sessions.setLeaf(tx, "s1", root, now);
    const right = await append(tx, userMessage("right"));
    const ids = async (leaf: string) => (await sessions.path(tx, leaf, 1e6)).map(({ id }) => id);
    expect(await ids(left)).toEqual([root, left]);
    expect(await ids(right)).toEqual([root, right]);
    expect(await leafOf(tx)).toBe(right);
  });
});

forEachStore("countAnswers counts what the model said in one turn, and no summary", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    await sessions.append(tx, "s1", "t0", assistantMessage("before"), now);
    await append(tx, userMessage("hello"));
    await append(tx, assistantMessage("one"));
    const keptFrom = await append(tx, assistantMessage("two"));
    await sessions.summarise(tx, {
      sessionId: "s1",
      turnId: "t1",
      keptFrom,
      message: assistantMessage("sum"),
      now,
    });
    expect(await countAnswers(tx, "s1", "t1")).toBe(2);
    expect(await countAnswers(tx, "s1", "t2")).toBe(0);
  });
});

forEachStore("append stores nothing for a session that is not there", async (store) => {
  const writing = store.write((tx) => append(tx, userMessage("hello"), "s9"));
  await expect(writing).rejects.toMatchObject({ code: "not_found", message: expect.stringContaining("s9") });
  expect(await store.read((tx) => tx`SELECT id FROM entries`)).toEqual([]);
});

forEachStore(
  "path holds the newest entries that fit, and the newest one whatever its size",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      const sizes: number[] = [];
      for (const text of ["oldest", "é🎉", "x".repeat(500), "newest"]) {
        const message = userMessage(text);
        sizes.push(Buffer.byteLength(message.json));
        await append(tx, message);
      }
      const [, second = 0, third = 0, fourth = 0] = sizes;
      const leaf = await leafOf(tx);
      const count = async (bytes: number) => (await sessions.path(tx, leaf, bytes)).length;
      expect(await count(0)).toBe(1);
      expect(await count(fourth + third - 1)).toBe(1);
      expect(await count(fourth + third)).toBe(2);
      // Bytes are counted and not characters.
      expect(await count(fourth + third + second - 1)).toBe(2);
      expect(await count(fourth + third + second)).toBe(3);
      expect(await count(Number.MAX_SAFE_INTEGER)).toBe(4);
      expect(await sessions.path(tx, "nothing", 100)).toEqual([]);
    });
  },
);

forEachStore("path costs what its window costs, however long the history is", async (store) => {
  const length = 10_000;
  const { json } = userMessage("one of very many messages");
  await store.write(async (tx) => {
    await aSession(tx);
    // In one statement: on PostgreSQL appending so many one by one would take most of the time of a test.
    await tx`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${length})
      INSERT INTO entries (id, parent_id, session_id, turn_id, depth, role, bytes, created_at, call_ids, message)
      SELECT CAST(i AS TEXT), CASE WHEN i = 1 THEN NULL ELSE CAST(i - 1 AS TEXT) END, 's1', 't1', i, 'user',
        ${Buffer.byteLength(json)}, ${now}, '', CAST(${json} AS TEXT)
      FROM n`;
  });
  const leaf = `${length}`;
  expect(await store.read((tx) => sessions.path(tx, leaf, 1e9))).toHaveLength(length);
  /** The quickest of several, which the rest of the machine has disturbed least. */
  const quickest = (bytes: number, attempts: number) =>
    store.write(async (tx) => {
      let least = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < attempts; attempt++) {
        const begin = performance.now();
        await sessions.path(tx, leaf, bytes);
        least = Math.min(least, performance.now() - begin);
      }
      return least;
    });
  // The window holds a hundredth of the history; a walk through the whole would cost as much as the second.
  expect(await quickest(4000, 20)).toBeLessThan((await quickest(1e9, 3)) / 10);
});

async function pagesOf(tx: Tx, limit: number) {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await sessions.messages(tx, "s1", { limit, ...(cursor !== undefined && { cursor }) });
    pages.push(page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  return pages;
}

forEachStore(
  "messages pages from the newest back to the first, oldest first within a page",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      expect(await sessions.messages(tx, "s1", { limit: 3 })).toEqual({ items: [] });
      const ids: string[] = [];
      for (const text of ["a", "b", "c", "d", "e", "f", "g"]) ids.push(await append(tx, userMessage(text)));
      expect(await pagesOf(tx, 3)).toEqual([ids.slice(4), ids.slice(1, 4), ids.slice(0, 1)]);
      expect(await pagesOf(tx, 7)).toEqual([ids]);
    });
  },
);

forEachStore("messages ends a page early when its messages are very big", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    const big = userMessage("x".repeat(1_500_000));
    for (let index = 0; index < 5; index++) await append(tx, big);
    expect((await pagesOf(tx, 200)).map((page) => page.length)).toEqual([2, 2, 1]);
  });
});

forEachStore("messages opens no other session, and refuses what is no cursor", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx, "s1");
    await aSession(tx, "s2");
    await append(tx, userMessage("mine"), "s1");
    const secret = await append(tx, userMessage("secret"), "s2");
    for (const cursor of [secret, "nothing", "", "'; DROP TABLE entries"])
      await expect(sessions.messages(tx, "s1", { cursor, limit: 5 })).rejects.toMatchObject({
        code: "bad_request",
        param: "cursor",
      });
  });
});

forEachStore(
  "append keeps what a provider wants back beside the answer, and counts its bytes",
  async (store) => {
    const meta = '{"provider":"lab","message":{"reasoning_content":"hm"},"calls":[]}';
    const plain = assistantMessage("hi");
    await store.write(async (tx) => {
      await aSession(tx);
      await append(tx, { ...plain, meta });
      await append(tx, plain);
    });
    const entries = await store.read(async (tx) => sessions.path(tx, await leafOf(tx), 1e6));
    expect(entries.map(({ message }) => message.meta)).toEqual([meta, undefined]);
    const [first] = await store.read(
      (tx) => tx`SELECT bytes FROM entries WHERE id = ${entries[0]?.id ?? ""}`,
    );
    expect(Number(first?.bytes)).toBe(plain.json.length + meta.length);
  },
);
