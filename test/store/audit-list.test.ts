import { expect } from "bun:test";
import { list } from "../../src/store/audit-list.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { anEvent, fillChain } from "./audit-records.ts";
import { now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const places = (items: readonly { chain: string; seq: number }[]) =>
  items.map(({ chain, seq }) => `${chain}/${seq}`);

forEachStore("list pages through everything, newest first, without a gap or a repeat", async (store) => {
  await fillChain(store, "c1", 7);
  await fillChain(store, "c2", 5, now + 100);
  const seen: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const page = await list(store.read, { limit: 5, ...(cursor !== "" && { cursor }) });
    seen.push(...places(page.items));
    cursor = page.next;
  }
  const descending = (chain: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${chain}/${count - n}`);
  expect(seen).toEqual([...descending("c2", 5), ...descending("c1", 7)]);
});

forEachStore(
  "list finds by kind, tool, session, principal and time, and refuses a cursor that is none",
  async (store) => {
    const trail = createAuditTrail({ chain: "c1", now: () => now });
    await store.write(async (tx) => {
      await trail.record(tx, anEvent());
      await trail.record(tx, anEvent({ kind: "refusal", outcome: "denied" }));
      await trail.record(tx, anEvent({ tool: "shell", sessionId: "s2" }));
      await trail.record(tx, { kind: "login", principal: "bob", outcome: "ok", address: "::1" });
    });
    await fillChain(store, "c2", 1, now + 50);
    const find = async (query: object) => places((await list(store.read, { limit: 10, ...query })).items);
    expect(await find({ kind: "refusal" })).toEqual(["c1/2"]);
    expect(await find({ tool: "shell" })).toEqual(["c1/3"]);
    expect(await find({ sessionId: "s2" })).toEqual(["c1/3"]);
    expect(await find({ principal: "bob", kind: "login" })).toEqual(["c1/4"]);
    expect(await find({ since: now + 1 })).toEqual(["c2/1"]);
    expect(await find({ tool: "' OR 1=1 --" })).toEqual([]);
    await expect(find({ cursor: "nonsense" })).rejects.toMatchObject({ code: "bad_request" });
  },
);

forEachStore(
  "list looks on behind many rows that are not asked for, and says where it stopped",
  async (store) => {
    const trail = createAuditTrail({ chain: "c1", now: () => now });
    await store.write(async (tx) => {
      await trail.record(tx, anEvent({ tool: "rare" }));
      for (let n = 0; n < 5200; n++) await trail.record(tx, anEvent());
    });
    expect(await list(store.read, { limit: 5, tool: "rare" })).toMatchObject({ items: [{ seq: 1 }] });
  },
);
