import { expect } from "bun:test";
import { userMessage } from "../../src/llm/message.ts";
import * as approvals from "../../src/store/approvals.ts";
import * as events from "../../src/store/events.ts";
import type { Store } from "../../src/store/open.ts";
import * as retention from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import type { Tx } from "../../src/store/tx.ts";
import * as turns from "../../src/store/turns.ts";
import { anApproval, aSession, aTurn, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

/** A session with `count` ended turns, a message, two events and an approval each. */
async function fill(tx: Tx, id: string, count: number, at = now) {
  await aSession(tx, id, "alice", at);
  for (let n = 0; n < count; n++) {
    const turnId = `${id}-${n}`;
    await turns.insert(tx, aTurn(turnId, { sessionId: id, createdAt: at }));
    await sessions.append(tx, id, turnId, userMessage("hello"), at);
    await events.append(tx, id, turnId, ["[]", "[]"], at);
    await approvals.insert(tx, anApproval(`apr-${turnId}`, { turnId, sessionId: id }));
    await turns.finish(tx, turnId, { state: "done", usage: { inputTokens: 0, outputTokens: 0 }, now: at });
  }
}

const countOf = async (store: Store) =>
  store.read(async (tx) => {
    const tables = [
      await tx`SELECT id FROM sessions`,
      await tx`SELECT id FROM entries`,
      await tx`SELECT id FROM turns`,
      await tx`SELECT seq FROM events`,
      await tx`SELECT id FROM approvals`,
    ];
    return tables.map((rows) => rows.length);
  });

forEachStore(
  "beginErase hides a session at once, and no message and no session of its name comes in until it is gone",
  async (store) => {
    await store.write((tx) => fill(tx, "s1", 2));
    expect(await store.write((tx) => retention.beginErase(tx, "s1"))).toBe(true);
    expect(await store.write((tx) => retention.beginErase(tx, "s1"))).toBe(false);

    expect(await store.read((tx) => sessions.find(tx, "s1"))).toBeUndefined();
    expect((await store.read((tx) => sessions.list(tx, { limit: 5 }))).items).toEqual([]);
    expect((await store.read((tx) => sessions.list(tx, { owner: "alice", limit: 5 }))).items).toEqual([]);
    await expect(store.write((tx) => aSession(tx, "s1"))).rejects.toMatchObject({
      code: "conflict",
      retryAfterMs: 1000,
    });
    await expect(store.write((tx) => turns.insert(tx, aTurn("t9")))).rejects.toMatchObject({
      code: "not_found",
    });

    await store.write((tx) => retention.eraseSome(tx, "s1", 100));
    expect((await store.write((tx) => aSession(tx, "s1"))).lastEvent).toBe(0);
  },
);

forEachStore(
  "eraseSome deletes as much as it is told and says how much, and nothing of another session",
  async (store) => {
    await store.write(async (tx) => {
      await fill(tx, "s1", 5);
      await fill(tx, "s2", 1);
    });
    await store.write((tx) => retention.beginErase(tx, "s1"));
    const step = () => store.write((tx) => retention.eraseSome(tx, "s1", 4));
    expect(await step()).toEqual({ messages: 4, turns: 4, events: 4, branches: 0, over: false });
    expect(await store.read((tx) => retention.halfErased(tx, 5))).toEqual(["s1"]);
    expect(await step()).toEqual({ messages: 1, turns: 1, events: 4, branches: 0, over: false });
    expect(await step()).toEqual({ messages: 0, turns: 0, events: 2, branches: 0, over: true });
    expect(await countOf(store)).toEqual([1, 1, 1, 2, 1]);
    expect(await store.read((tx) => retention.halfErased(tx, 5))).toEqual([]);
  },
);

forEachStore(
  "idleSessions are those that nobody used since, but for one whose turn has not ended",
  async (store) => {
    await store.write(async (tx) => {
      await fill(tx, "old", 1, now - 10);
      await fill(tx, "older", 1, now - 20);
      await fill(tx, "waits", 0, now - 20);
      await turns.insert(tx, aTurn("t1", { sessionId: "waits", createdAt: now - 20 }));
      await fill(tx, "new", 1, now);
    });
    expect(await store.read((tx) => retention.idleSessions(tx, now, 5))).toEqual(["older", "old"]);
    expect(await store.read((tx) => retention.idleSessions(tx, now, 1))).toEqual(["older"]);
    // It got a message since it was found.
    await store.write(async (tx) => {
      expect(await retention.beginErase(tx, "old", now)).toBe(true);
      await retention.spare(tx, "old");
    });
    // Used since it was found.
    await store.write((tx) => sessions.touch(tx, "old", now));
    expect(await store.write((tx) => retention.beginErase(tx, "old", now))).toBe(false);
  },
);

forEachStore(
  "eraseEvents takes the oldest events of a session, while none of its turns runs",
  async (store) => {
    await store.write(async (tx) => {
      await fill(tx, "s1", 2, now - 10);
      await fill(tx, "s2", 1, now);
      await events.append(tx, "s1", "s1-1", ["[]"], now);
    });
    expect(await store.read((tx) => retention.nextLogged(tx, ""))).toEqual({
      sessionId: "s1",
      seq: 1,
      createdAt: now - 10,
    });
    expect((await store.read((tx) => retention.nextLogged(tx, "s1")))?.sessionId).toBe("s2");
    expect(await store.read((tx) => retention.nextLogged(tx, "s2"))).toBeUndefined();

    const erase = (most: number) => store.write((tx) => retention.eraseEvents(tx, "s1", now, most));
    expect(await erase(3)).toBe(3);
    await store.write((tx) => turns.insert(tx, aTurn("t9")));
    expect(await erase(3)).toBe(0);
    await store.write((tx) =>
      turns.finish(tx, "t9", { state: "cancelled", usage: { inputTokens: 0, outputTokens: 0 }, now }),
    );
    expect(await erase(3)).toBe(1);
    expect(await erase(3)).toBe(0);
    expect(
      (await store.read((tx) => events.after(tx, "s1", 0, { limit: 10 }))).map((row) => row.seq),
    ).toEqual([5]);
  },
);
