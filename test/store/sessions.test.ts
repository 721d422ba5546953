import { expect } from "bun:test";
import { noUsage, userMessage } from "../../src/llm/message.ts";
import * as approvals from "../../src/store/approvals.ts";
import * as events from "../../src/store/events.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import * as turns from "../../src/store/turns.ts";
import * as usage from "../../src/store/usage.ts";
import { by, totals } from "../../src/store/usage-report.ts";
import { anApproval, aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

forEachStore(
  "open makes a session once and hands it out as it is afterwards, whoever asks",
  async (store) => {
    const made = await store.write((tx) => aSession(tx, "s1", "alice"));
    expect(made).toMatchObject({ id: "s1", owner: "alice", lastEvent: 0, createdAt: now, updatedAt: now });
    expect(made.leafId).toBeUndefined();
    const again = await store.write((tx) => aSession(tx, "s1", "mallory", now + 5));
    expect(again).toEqual(made);
    expect(await store.read((tx) => sessions.find(tx, "s1"))).toEqual(made);
    expect(await store.read((tx) => sessions.find(tx, "s2"))).toBeUndefined();
  },
);

forEachStore("setLeaf points a session at its own entries only", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx, "s1");
    await aSession(tx, "s2");
    const mine = await sessions.append(tx, "s1", undefined, userMessage("mine"), now);
    await sessions.append(tx, "s1", undefined, userMessage("more"), now);
    const foreign = await sessions.append(tx, "s2", undefined, userMessage("foreign"), now);
    await sessions.setLeaf(tx, "s1", mine, now + 1);
    expect(await sessions.find(tx, "s1")).toMatchObject({ leafId: mine, updatedAt: now + 1 });
    for (const leaf of [foreign, "nothing"])
      await expect(sessions.setLeaf(tx, "s1", leaf, now)).rejects.toMatchObject({ code: "not_found" });
    expect((await sessions.find(tx, "s1"))?.leafId).toBe(mine);
    await sessions.setLeaf(tx, "s1", null, now);
    expect((await sessions.find(tx, "s1"))?.leafId).toBeUndefined();
  });
});

forEachStore("setModel and touch change a session, and miss one that is not there", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    await sessions.setModel(tx, "s1", "gpt-4o", now + 1);
    expect(await sessions.find(tx, "s1")).toMatchObject({ model: "gpt-4o", updatedAt: now + 1 });
    await sessions.setModel(tx, "s1", null, now + 2);
    await sessions.touch(tx, "s1", now + 3);
    const session = await sessions.find(tx, "s1");
    expect([session?.model, session?.updatedAt]).toEqual([undefined, now + 3]);
    await expect(sessions.touch(tx, "s9", now)).rejects.toMatchObject({ code: "not_found" });
    await expect(sessions.setModel(tx, "s9", null, now)).rejects.toMatchObject({ code: "not_found" });
  });
});

async function allPages(tx: Tx, options: { owner?: string; limit: number }) {
  const sizes: number[] = [];
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await sessions.list(tx, { ...options, ...(cursor !== undefined && { cursor }) });
    sizes.push(page.items.length);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  return { sizes, ids };
}

forEachStore("list pages through the sessions, the one used last first, each once", async (store) => {
  await store.write(async (tx) => {
    // Several share a time, so that the id must decide.
    for (let index = 0; index < 25; index++)
      await aSession(
        tx,
        `s${String(index).padStart(2, "0")}`,
        index % 5 === 0 ? "bob" : "alice",
        now + (index >> 2),
      );
    const { ids, sizes } = await allPages(tx, { limit: 10 });
    expect(sizes).toEqual([10, 10, 5]);
    expect(ids).toEqual([...ids].sort().reverse());
    expect(new Set(ids).size).toBe(25);
    expect((await allPages(tx, { owner: "bob", limit: 5 })).ids).toEqual(["s20", "s15", "s10", "s05", "s00"]);
    expect((await allPages(tx, { owner: "nobody", limit: 5 })).sizes).toEqual([0]);
  });
});

forEachStore("list bounds a page and refuses a cursor that it did not make", async (store) => {
  await store.write(async (tx) => {
    for (let index = 0; index < 210; index++) await aSession(tx, `s${index}`);
    for (const [limit, size] of [
      [1000, 200],
      [0, 1],
      [-3, 1],
      [Number.NaN, 1],
    ] as const)
      expect((await sessions.list(tx, { limit })).items).toHaveLength(size);
    for (const cursor of ["", "x", "bnVsbA", Buffer.from('["a","b"]').toString("base64url"), "\0", "🎉"])
      await expect(sessions.list(tx, { limit: 1, cursor })).rejects.toMatchObject({
        code: "bad_request",
        param: "cursor",
      });
  });
});

forEachStore(
  "remove deletes all of a session and nothing of another, and what it spent stays counted",
  async (store) => {
    await store.write(async (tx) => {
      for (const id of ["s1", "s2"]) {
        await aSession(tx, id);
        await turns.insert(tx, aTurn(`turn of ${id}`, { sessionId: id }));
        await sessions.append(tx, id, `turn of ${id}`, userMessage("hello"), now);
        await events.append(tx, id, `turn of ${id}`, ["{}"], now);
        await approvals.insert(
          tx,
          anApproval(`approval of ${id}`, { turnId: `turn of ${id}`, sessionId: id }),
        );
        await usage.record(tx, {
          ...noUsage,
          ...{
            turnId: "t",
            sessionId: id,
            principal: "alice",
            channel: "http",
            model: "m",
            inputTokens: 10,
            now,
          },
        });
      }
      expect(await sessions.remove(tx, "s1")).toBe(true);
      expect(await sessions.remove(tx, "s1")).toBe(false);

      for (const table of [
        await tx`SELECT id FROM sessions`,
        await tx`SELECT id FROM entries`,
        await tx`SELECT id FROM turns`,
        await tx`SELECT seq FROM events`,
        await tx`SELECT id FROM approvals`,
      ])
        expect(table).toHaveLength(1);
      expect(await sessions.find(tx, "s2")).toBeDefined();
      expect(await approvals.find(tx, "approval of s2")).toBeDefined();
      expect((await totals(tx)).inputTokens).toBe(20);
      expect((await usage.spentBySession(tx, "s1")).tokens).toBe(0);
      expect((await usage.spentBySession(tx, "s2")).tokens).toBe(10);
      expect((await by(tx, "session", {}, 5)).map(({ key, calls }) => [key, calls])).toEqual([
        ["", 1],
        ["s2", 1],
      ]);
    });
  },
);
