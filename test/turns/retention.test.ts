import { expect } from "bun:test";
import { userMessage } from "../../src/llm/message.ts";
import * as approvals from "../../src/store/approvals.ts";
import * as events from "../../src/store/events.ts";
import type { Store } from "../../src/store/open.ts";
import { beginErase } from "../../src/store/retention.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as turns from "../../src/store/turns.ts";
import { eraseSession, sweep } from "../../src/turns/retention.ts";
import { anApproval, aSession, aTurn, now } from "../store/records.ts";
import { forEachStore } from "../store/stores.ts";

const day = 86_400_000;
const never = new AbortController().signal;

/** A session whose only turn ended `daysAgo`. */
async function used(store: Store, id: string, daysAgo: number, messages = 1) {
  const at = now - daysAgo * day;
  await store.write(async (tx) => {
    await aSession(tx, id, "alice", at);
    await turns.insert(tx, aTurn(id, { sessionId: id, createdAt: at }));
    for (let n = 0; n < messages; n++) await sessions.append(tx, id, id, userMessage(`${n}`), at);
    await events.append(tx, id, id, ["[]", "[]"], at);
    await turns.finish(tx, id, { state: "done", usage: { inputTokens: 0, outputTokens: 0 }, now: at });
  });
}

const idsIn = async (store: Store) =>
  (await store.read((tx) => sessions.list(tx, { limit: 100 }))).items.map((session) => session.id).toSorted();

forEachStore(
  "eraseSession takes a long session in many small writes and says how much it was",
  async (store) => {
    await used(store, "long", 0, 1600);
    await store.write((tx) => beginErase(tx, "long"));
    const before = store.commits();
    expect(await eraseSession(store, "long")).toEqual({ messages: 1600, turns: 1, events: 2, branches: 0 });
    expect(store.commits() - before).toBe(4);
    expect(await store.read((tx) => tx`SELECT id FROM sessions`)).toEqual([]);
  },
);

forEachStore(
  "sweep deletes idle sessions and old events by their rules, and keeps what is in use",
  async (store) => {
    await used(store, "recent", 1);
    await used(store, "resting", 10);
    await used(store, "forgotten", 40);
    await used(store, "waiting", 40);
    await store.write((tx) =>
      turns.insert(tx, aTurn("waits", { sessionId: "waiting", createdAt: now - 40 * day })),
    );
    const rules = { sessionMs: 30 * day, eventMs: 7 * day };
    expect(await sweep(store, rules, { signal: never, now: () => now })).toEqual({ sessions: 1, events: 2 });
    expect(await idsIn(store)).toEqual(["recent", "resting", "waiting"]);
    const logged = await store.read((tx) => tx`SELECT DISTINCT session_id FROM events ORDER BY session_id`);
    expect(logged).toEqual([{ session_id: "recent" }, { session_id: "waiting" }]);
    expect(await sweep(store, rules, { signal: never, now: () => now })).toEqual({ sessions: 0, events: 0 });
  },
);

forEachStore(
  "sweep keeps everything when the rules are 0, and finishes what a killed process began",
  async (store) => {
    await used(store, "old", 10_000);
    await used(store, "half", 1);
    await store.write((tx) => beginErase(tx, "half"));
    const kept = { sessionMs: 0, eventMs: 0 };
    expect(await sweep(store, kept, { signal: never, now: () => now })).toEqual({ sessions: 0, events: 0 });
    expect(await store.read((tx) => tx`SELECT id FROM sessions`)).toEqual([{ id: "old" }]);
    expect(await store.read((tx) => tx`SELECT seq FROM events`)).toHaveLength(2);
  },
);

forEachStore("sweep stops when it is told to", async (store) => {
  await used(store, "old", 100);
  const rules = { sessionMs: day, eventMs: day };
  expect(await sweep(store, rules, { signal: AbortSignal.abort(), now: () => now })).toEqual({
    sessions: 0,
    events: 0,
  });
  expect(await idsIn(store)).toEqual(["old"]);
});

forEachStore(
  "sweep deletes the questions of turns that are not kept, also where sessions stay for ever",
  async (store) => {
    const { sessionId: _, ...unkept } = anApproval();
    const left = async () =>
      (await store.read((tx) => tx`SELECT id FROM approvals ORDER BY id`)).map((row) => row["id"]);
    const ask = (id: string, daysAgo: number) =>
      store.write((tx) =>
        approvals.insert(tx, { ...unkept, id, turnId: id, expiresAt: now - daysAgo * day }),
      );
    await ask("apr_1", 40);
    await ask("apr_2", 10);
    await ask("apr_3", 0.5);
    const at = { signal: never, now: () => now };
    await sweep(store, { sessionMs: 30 * day, eventMs: 0 }, at);
    expect(await left()).toEqual(["apr_2", "apr_3"]);
    await sweep(store, { sessionMs: 0, eventMs: 0 }, at);
    expect(await left()).toEqual(["apr_3"]);
  },
);
