import { expect } from "bun:test";
import { noUsage } from "../../src/llm/message.ts";
import * as events from "../../src/store/events.ts";
import * as leases from "../../src/store/turn-leases.ts";
import * as turns from "../../src/store/turns.ts";
import { aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const done = { state: "done", usage: noUsage, now: now + 9 } as const;

forEachStore("insert queues a turn behind the others, with all that it was accepted with", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    await events.append(tx, "s1", "t0", ["{}", "{}"], now);
    const row = aTurn("t1", { messageId: "m1", input: '{"results":[]}', createdAt: now + 1 });
    const inserted = await turns.insert(tx, row);
    expect(inserted).toEqual({
      ...row,
      ...{
        seq: 1,
        state: "queued",
        fence: 1,
        cancelAsked: false,
        firstEvent: 2,
        inputTokens: 0,
        outputTokens: 0,
      },
    });
    expect(await turns.find(tx, "t1")).toEqual(inserted);
    expect((await turns.insert(tx, aTurn("t2"))).seq).toBe(2);
    expect(await turns.find(tx, "t9")).toBeUndefined();
  });
  const orphan = store.write((tx) => turns.insert(tx, aTurn("t3", { sessionId: "s9" })));
  await expect(orphan).rejects.toMatchObject({ code: "not_found" });
});

forEachStore("insert takes a message id once in a session", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx, "s1");
    await aSession(tx, "s2");
    await turns.insert(tx, aTurn("t1", { messageId: "m1" }));
    await turns.insert(tx, aTurn("t2", { messageId: "m1", sessionId: "s2" }));
    await turns.insert(tx, aTurn("t3"));
    await turns.insert(tx, aTurn("t4"));
    expect((await turns.findByMessage(tx, "s1", "m1"))?.id).toBe("t1");
    expect((await turns.findByMessage(tx, "s2", "m1"))?.id).toBe("t2");
    expect(await turns.findByMessage(tx, "s1", "m2")).toBeUndefined();
  });
  await expect(store.write((tx) => turns.insert(tx, aTurn("t5", { messageId: "m1" })))).rejects.toThrow();
  expect(await store.read((tx) => turns.find(tx, "t5"))).toBeUndefined();
});

forEachStore("start, setState and finish lead a turn through its life, which ends once", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    await turns.insert(tx, aTurn());
    expect(await turns.start(tx, "t1", { userEntryId: "e2", baseLeafId: "e1", now: now + 1 })).toBe(true);
    expect(await turns.find(tx, "t1")).toMatchObject({
      ...{ state: "running", userEntryId: "e2", baseLeafId: "e1", startedAt: now + 1 },
    });
    expect(await turns.setState(tx, "t1", "waiting_approval")).toBe(true);
    expect(await turns.hasUnfinished(tx, "s1")).toBe(true);
    const usage = { ...noUsage, inputTokens: 3, outputTokens: 4 };
    expect(
      await turns.finish(tx, "t1", {
        state: "failed",
        errorCode: "busy",
        errorMessage: "No.",
        usage,
        now: now + 2,
      }),
    ).toBe(true);
    const ended = await turns.find(tx, "t1");
    expect(ended).toMatchObject({
      ...{
        state: "failed",
        errorCode: "busy",
        errorMessage: "No.",
        inputTokens: 3,
        outputTokens: 4,
        endedAt: now + 2,
      },
    });
    expect(await turns.finish(tx, "t1", done)).toBe(false);
    expect(await turns.setState(tx, "t1", "running")).toBe(false);
    expect(await turns.start(tx, "t1", { now })).toBe(false);
    expect(await turns.find(tx, "t1")).toEqual(ended);
    expect(await turns.hasUnfinished(tx, "s1")).toBe(false);
  });
});

forEachStore(
  "unfinished lists what has not ended in order of arrival, in a session also when the clock was set back",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx, "s1");
      await aSession(tx, "s2");
      for (const [id, sessionId, createdAt] of [
        ["a", "s2", now + 1],
        ["b", "s1", now + 5],
        ["c", "s1", now + 2],
        ["d", "s2", now + 9],
        ["ended", "s2", now],
      ] as const)
        await turns.insert(tx, aTurn(id, { sessionId, createdAt }));
      await turns.finish(tx, "ended", done);
      await turns.setState(tx, "b", "interrupted");
      expect((await turns.unfinished(tx)).map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
    });
  },
);

forEachStore(
  "startedSince counts the turns that began in a time, and not one that was taken back",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      for (const [index, id] of ["a", "b", "c", "d"].entries()) {
        await turns.insert(tx, aTurn(id));
        if (id !== "d") await turns.start(tx, id, { now: now + index });
      }
      expect(await turns.startedSince(tx, "s1", now)).toEqual({ count: 2, firstAt: now + 1 });
      await turns.finish(tx, "b", done);
      await turns.unstart(tx, "b");
      expect(await turns.startedSince(tx, "s1", now)).toEqual({ count: 1, firstAt: now + 2 });
      expect(await turns.startedSince(tx, "s1", now + 50)).toEqual({ count: 0, firstAt: 0 });
    });
  },
);

forEachStore("list pages through the turns of a session, newest first", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    for (const id of ["a", "b", "c"]) await turns.insert(tx, aTurn(id));
    const first = await turns.list(tx, "s1", { limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(["c", "b"]);
    const second = await turns.list(tx, "s1", {
      limit: 2,
      ...(first.next !== undefined && { cursor: first.next }),
    });
    expect(second.items.map(({ id }) => id)).toEqual(["a"]);
    expect(second.next).toBeUndefined();
    await expect(turns.list(tx, "s1", { limit: 2, cursor: "x" })).rejects.toMatchObject({
      code: "bad_request",
    });
  });
});

forEachStore(
  "takeOver gives a turn to one process, and the one before may not write for it any more",
  async (store) => {
    await store.write(async (tx) => {
      await aSession(tx);
      await turns.insert(tx, aTurn("t1"));
      const before = { owner: "p1", fence: 1 };
      expect(await leases.holds(tx, "t1", before)).toBe(true);

      expect(await leases.takeOver(tx, "t1", before, "p2")).toMatchObject({ owner: "p2", fence: 2 });
      expect(await leases.takeOver(tx, "t1", before, "p3")).toBeUndefined();

      expect(await leases.holds(tx, "t1", before)).toBe(false);
      expect(await leases.holds(tx, "t1", { owner: "p2", fence: 2 })).toBe(true);
      await turns.finish(tx, "t1", { state: "done", usage: noUsage, now });
      expect(await leases.holds(tx, "t1", { owner: "p2", fence: 2 })).toBe(false);
    });
  },
);

forEachStore("hasEarlier goes by the line of one session", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    const first = await turns.insert(tx, aTurn("t1"));
    const second = await turns.insert(tx, aTurn("t2"));

    expect(await turns.hasEarlier(tx, "s1", first.seq)).toBe(false);
    expect(await turns.hasEarlier(tx, "s1", second.seq)).toBe(true);
    expect(await turns.firstUnfinished(tx, "s1")).toBe("t1");
    await turns.finish(tx, "t1", { state: "done", usage: noUsage, now });
    expect(await turns.hasEarlier(tx, "s1", second.seq)).toBe(false);
  });
});

forEachStore("askCancel marks a turn that has not ended for the process that runs it", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    await turns.insert(tx, aTurn("t1"));

    expect(await leases.askCancel(tx, "t1")).toBe(true);
    expect(await leases.cancelAsked(tx, "p1")).toEqual(["t1"]);
    await turns.finish(tx, "t1", { state: "cancelled", usage: noUsage, now });
    expect(await leases.askCancel(tx, "t1")).toBe(false);
    expect(await leases.cancelAsked(tx, "p1")).toEqual([]);
  });
});
