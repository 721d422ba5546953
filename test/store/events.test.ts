import { expect } from "bun:test";
import * as events from "../../src/store/events.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as turns from "../../src/store/turns.ts";
import { aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

forEachStore(
  "append numbers the events of a session from 1 without gaps, also when writes beside it fail",
  async (store) => {
    await store.write((tx) => aSession(tx, "s1"));
    await store.write((tx) => aSession(tx, "s2"));
    const firsts = await Promise.allSettled([
      store.write((tx) => events.append(tx, "s1", "t1", ["a", "b"], now)),
      store.write(async (tx) => {
        await events.append(tx, "s1", "t1", ["lost"], now);
        throw new Error("undone");
      }),
      store.write((tx) => events.append(tx, "s2", "t2", ["other"], now)),
      store.write((tx) => events.append(tx, "s1", "t1", ["c"], now)),
    ]);
    expect(firsts.map((first) => (first.status === "fulfilled" ? first.value : undefined))).toEqual([
      1,
      undefined,
      1,
      3,
    ]);
    const rows = await store.read((tx) => events.after(tx, "s1", 0, { limit: 10 }));
    expect(rows.map(({ seq, json }) => `${seq} ${json}`)).toEqual(["1 a", "2 b", "3 c"]);
    expect((await store.read((tx) => sessions.find(tx, "s1")))?.lastEvent).toBe(3);
  },
);

forEachStore("append refuses a session that is not there", async (store) => {
  const writing = store.write((tx) => events.append(tx, "s9", "t1", ["a"], now));
  await expect(writing).rejects.toMatchObject({ code: "not_found" });
});

forEachStore(
  "after goes on behind a number, for the session or one turn of it, in bounded pages",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      await turns.insert(tx, aTurn("t1", { messageId: "m1" }));
      await events.append(tx, "s1", "t1", ["1"], now);
      await events.append(tx, "s1", "t2", ["2", "3"], now);
      await events.append(tx, "s1", "t1", ["4"], now);
      const seqs = async (seq: number, options: { turnId?: string; limit: number }) =>
        (await events.after(tx, "s1", seq, options)).map((row) => row.seq);
      expect(await seqs(1, { limit: 10 })).toEqual([2, 3, 4]);
      expect(await seqs(1, { limit: 2 })).toEqual([2, 3]);
      expect(await seqs(0, { turnId: "t1", limit: 10 })).toEqual([1, 4]);
      expect(await seqs(1, { turnId: "t1", limit: 10 })).toEqual([4]);
      expect(await seqs(4, { limit: 10 })).toEqual([]);
      expect(await events.after(tx, "s2", 0, { turnId: "t1", limit: 10 })).toEqual([]);
      expect(await events.after(tx, "s1", 0, { limit: 2 })).toEqual([
        { seq: 1, turnId: "t1", json: "1", messageId: "m1" },
        { seq: 2, turnId: "t2", json: "2" },
      ]);
      await events.append(tx, "s1", "t3", Array<string>(1100).fill("{}"), now);
      expect(await events.after(tx, "s1", 0, { limit: 5000 })).toHaveLength(1000);
      expect(await events.after(tx, "s1", 0, { limit: -1 })).toHaveLength(1);
    });
  },
);
