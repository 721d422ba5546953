import { expect, test } from "bun:test";
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureAuditKey, readAuditKey } from "../../src/store/audit-key.ts";
import { rowsAfter } from "../../src/store/audit-rows.ts";
import { sweepChain } from "../../src/store/audit-sweep.ts";
import { verifyAudit } from "../../src/store/audit-verify.ts";
import type { Store } from "../../src/store/open.ts";
import { sweep } from "../../src/turns/retention.ts";
import { anEvent, auditKey, fillChain } from "./audit-records.ts";
import { now } from "./records.ts";
import { forEachStore } from "./stores.ts";
import { withFolder } from "./with-folder.ts";

const never = new AbortController().signal;
const sweepUpTo = (store: Store, before: number, key = auditKey) =>
  sweep(
    store,
    { sessionMs: 0, eventMs: 0, auditMs: 1000, auditKey: () => key },
    { signal: never, now: () => before + 1000 },
  );

forEachStore(
  "sweepChain leaves a signed head for what it deletes, and the chain goes on behind it",
  async (store) => {
    const trail = await fillChain(store, "c1", 500);
    const other = await fillChain(store, "c2", 3, now + 1000);
    await sweepUpTo(store, now + 450);
    expect((await store.read((tx) => rowsAfter(tx, "c1", 0, 1)))[0]?.seq).toBe(451);
    expect(await verifyAudit(store, auditKey)).toEqual({ chains: 2, rows: 53, swept: 450 });
    // Nothing is left of the first: its next row follows the head.
    await sweepUpTo(store, now + 500);
    await store.write((tx) => trail.record(tx, anEvent()));
    await store.write((tx) => other.record(tx, anEvent()));
    expect(await verifyAudit(store, auditKey)).toEqual({ chains: 2, rows: 5, swept: 500 });
  },
);

forEachStore(
  "verifyAudit finds a head that was forged, moved or removed, and one of another key",
  async (store) => {
    await fillChain(store, "c1", 20);
    await sweepUpTo(store, now + 10);
    const good = { chains: 1, rows: 10, swept: 10 };
    expect(await verifyAudit(store, auditKey)).toEqual(good);
    expect((await verifyAudit(store, `${auditKey}!`)).broken).toMatchObject({ chain: "c1", seq: 10 });
    expect((await verifyAudit(store, undefined)).broken?.why).toContain("OPENCLAW_AUDIT_KEY");
    // Removing more of the oldest needs the key.
    const [, next] = await store.read((tx) => rowsAfter(tx, "c1", 0, 2));
    if (next === undefined) throw new Error("There is no second row.");
    await store.write(async (tx) => {
      await tx`DELETE FROM audit WHERE seq <= ${next.seq}`;
      await tx`UPDATE audit_heads SET seq = ${next.seq}, hash = ${next.hash}`;
    });
    expect((await verifyAudit(store, auditKey)).broken?.why).toContain("not signed");
    // Nor does the next sweep sign for it.
    await sweepUpTo(store, now + 20);
    expect((await verifyAudit(store, auditKey)).broken?.why).toContain("not signed");
    await store.write((tx) => tx`DELETE FROM audit_heads`);
    expect((await verifyAudit(store, auditKey)).broken).toMatchObject({ seq: 13 });
  },
);

forEachStore("sweepChain does not sweep what is broken, and sweeps the other chains", async (store) => {
  await fillChain(store, "c1", 5);
  await fillChain(store, "c2", 5);
  await store.write((tx) => tx`UPDATE audit SET principal = 'bob' WHERE chain = 'c1' AND seq = 2`);
  const all = { before: now + 100, most: 50, now, key: auditKey };
  await expect(store.write((tx) => sweepChain(tx, "c1", all))).rejects.toMatchObject({ code: "conflict" });
  await sweepUpTo(store, now + 100);
  expect(await verifyAudit(store, auditKey)).toMatchObject({ swept: 5, broken: { chain: "c1", seq: 2 } });
});

forEachStore(
  "sweepChain stops before the first row that is not old enough, wherever the clock went",
  async (store) => {
    await fillChain(store, "c1", 3);
    await fillChain(store, "c1", 3, now + 5000);
    await fillChain(store, "c1", 3);
    await sweepUpTo(store, now + 100);
    expect(await verifyAudit(store, auditKey)).toEqual({ chains: 1, rows: 6, swept: 3 });
  },
);

forEachStore("verifyAudit is right while chains are swept", async (store) => {
  for (const chain of ["c1", "c2"]) await fillChain(store, chain, 250);
  const sweeping = sweepUpTo(store, now + 240);
  for (let n = 0; n < 10; n++) expect((await verifyAudit(store, auditKey)).broken).toBeUndefined();
  await sweeping;
  expect(await verifyAudit(store, auditKey)).toEqual({ chains: 2, rows: 20, swept: 480 });
});

test("ensureAuditKey makes a key once, for its owner alone, and refuses a file that holds none", async () => {
  await withFolder(async (folder) => {
    expect(readAuditKey(folder)).toBeUndefined();
    const key = ensureAuditKey(folder);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect([ensureAuditKey(folder), readAuditKey(folder)]).toEqual([key, key]);
    const path = join(folder, "audit.key");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await chmod(path, 0o600);
    await writeFile(path, "");
    expect(() => ensureAuditKey(folder)).toThrow("holds no key");
  });
});
