import { expect } from "bun:test";
import { rowsAfter } from "../../src/store/audit-rows.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { verifyAudit } from "../../src/store/audit-verify.ts";
import { anEvent, fillChain } from "./audit-records.ts";
import { forEachStore } from "./stores.ts";

forEachStore("createAuditTrail numbers its rows from 1 and ties each to the one before", async (store) => {
  await fillChain(store, "c1", 3);
  const rows = await store.read((tx) => rowsAfter(tx, "c1", 0, 10));
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(rows.map(({ previous }) => previous)).toEqual(["", rows[0]?.hash ?? "", rows[1]?.hash ?? ""]);
  expect(rows[0]).toMatchObject({
    chain: "c1",
    kind: "call",
    principal: "alice",
    tool: "read_file",
    outcome: "ok",
  });
  expect(new Set(rows.map(({ hash }) => hash)).size).toBe(3);
});

forEachStore(
  "createAuditTrail goes on behind what was committed, when a write of the same batch or a whole one was undone",
  async (store) => {
    const trail = createAuditTrail({ chain: "c1" });
    const write = (fail: boolean, count = 1) =>
      store.write(async (tx) => {
        for (let n = 0; n < count; n++) await trail.record(tx, anEvent());
        if (fail) throw new Error("undone");
      });
    const ends = await Promise.allSettled([
      write(true),
      write(false, 2),
      write(true, 3),
      write(true),
      write(false),
      write(false),
      write(true),
    ]);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(4);
    await write(false);
    expect((await store.read((tx) => rowsAfter(tx, "c1", 0, 50))).map(({ seq }) => seq)).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(await verifyAudit(store, undefined)).toEqual({ chains: 1, rows: 5, swept: 0 });
  },
);

forEachStore("createAuditTrail keeps the chains of several processes apart", async (store) => {
  await Promise.all(["c1", "c2", "c3"].map((chain) => fillChain(store, chain, 5)));
  expect(await verifyAudit(store, undefined)).toEqual({ chains: 3, rows: 15, swept: 0 });
});

forEachStore(
  "createAuditTrail masks, cleans and cuts what it is given, so that it can be verified",
  async (store) => {
    const trail = createAuditTrail({ chain: "c1" });
    const huge = "x".repeat(1_000_000);
    const hostile = `\0half \ud800 "quotes" ${"\\".repeat(50)} \u202e`;
    await store.write(async (tx) => {
      await trail.record(tx, anEvent({ detail: { arguments: `{"token":"hunter2hunter2","x":"${huge}"}` } }));
      await trail.record(
        tx,
        anEvent({ tool: hostile + huge, callId: huge, outcome: hostile, principal: hostile }),
      );
      await trail.record(tx, anEvent({ detail: { hostile, ["\0"]: hostile, huge } }));
      await trail.record(tx, anEvent({ detail: { many: Array.from({ length: 5000 }, () => hostile) } }));
      await trail.record(tx, anEvent({ tool: "sk-abcdefghijklmnopqrstuv", detail: { password: "hunter2" } }));
      // The end of what is read of a text falls into a secret, and all before it is hidden.
      const keys = `-----BEGIN PRIVATE KEY-----${"A".repeat(16_300)}-----END PRIVATE KEY----- ghp_`;
      await trail.record(tx, anEvent({ detail: { keys: `${keys}${"hunter2".repeat(6)} ${huge}` } }));
    });
    const rows = await store.read((tx) => rowsAfter(tx, "c1", 0, 10));
    for (const row of rows) {
      expect(row.detail.length).toBeLessThanOrEqual(2000);
      expect(() => JSON.parse(row.detail)).not.toThrow();
      expect(JSON.stringify(row)).not.toMatch(/hunter2|sk-abc/);
      for (const name of [row.tool, row.callId, row.principal]) expect(name?.length).toBeLessThanOrEqual(256);
    }
    expect(await verifyAudit(store, undefined)).toEqual({ chains: 1, rows: 6, swept: 0 });
  },
);

forEachStore("recordStart names the end of the chain before", async (store) => {
  const trail = await fillChain(store, "c1", 2);
  const [, last] = await store.read((tx) => rowsAfter(tx, "c1", 0, 10));
  const next = createAuditTrail({ chain: "c2" });
  await store.write((tx) => next.recordStart(tx, anEvent({ kind: "server", detail: { version: "1" } })));
  await store.write((tx) => trail.record(tx, anEvent()));
  const [start] = await store.read((tx) => rowsAfter(tx, "c2", 0, 10));
  expect(JSON.parse(start?.detail ?? "")).toEqual({
    follows: { chain: "c1", seq: 2, hash: last?.hash },
    version: "1",
  });
  expect(await verifyAudit(store, undefined)).toEqual({ chains: 2, rows: 4, swept: 0 });
});
