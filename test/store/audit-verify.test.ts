import { expect } from "bun:test";
import { hashOf, rowsAfter } from "../../src/store/audit-rows.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { verifyAudit } from "../../src/store/audit-verify.ts";
import type { Store } from "../../src/store/open.ts";
import type { Tx } from "../../src/store/tx.ts";
import { anEvent, fillChain } from "./audit-records.ts";
import { forEachStore } from "./stores.ts";

const brokenAfter = async (store: Store, forge: (tx: Tx) => Promise<unknown>) => {
  await store.write(forge);
  return (await verifyAudit(store, undefined)).broken;
};

/** What somebody may do to row 3 of 6, and the row at which it shows. */
const forgeries: readonly (readonly [what: string, forge: (tx: Tx) => Promise<unknown>, at: number])[] = [
  ["a detail", (tx) => tx`UPDATE audit SET detail = '{"durationMs":4}' WHERE seq = 3`, 3],
  ["a detail that is no JSON", (tx) => tx`UPDATE audit SET detail = 'x' WHERE seq = 3`, 3],
  ["who it was", (tx) => tx`UPDATE audit SET principal = 'bob' WHERE seq = 3`, 3],
  ["the time", (tx) => tx`UPDATE audit SET at = at + 1 WHERE seq = 3`, 3],
  ["the kind", (tx) => tx`UPDATE audit SET kind = 'grant' WHERE seq = 3`, 3],
  ["a name to none", (tx) => tx`UPDATE audit SET tool = NULL WHERE seq = 3`, 3],
  ["an address to one", (tx) => tx`UPDATE audit SET address = '::1' WHERE seq = 3`, 3],
  [
    "a name into the next field",
    (tx) => tx`UPDATE audit SET turn_id = NULL, call_id = turn_id WHERE seq = 3`,
    3,
  ],
  ["the hash", (tx) => tx`UPDATE audit SET hash = 'x' WHERE seq = 3`, 3],
  ["the tie", (tx) => tx`UPDATE audit SET previous = 'x' WHERE seq = 3`, 3],
  ["its chain", (tx) => tx`UPDATE audit SET chain = 'c2' WHERE seq = 3`, 4],
  ["a row to none", (tx) => tx`DELETE FROM audit WHERE seq = 3`, 4],
  ["the first rows to none", (tx) => tx`DELETE FROM audit WHERE seq < 3`, 3],
];

for (const [what, forge, seq] of forgeries)
  forEachStore(`verifyAudit finds that somebody has changed ${what}`, async (store) => {
    await fillChain(store, "c1", 6);
    expect(await verifyAudit(store, undefined)).toEqual({ chains: 1, rows: 6, swept: 0 });
    expect(await brokenAfter(store, forge)).toMatchObject({ chain: "c1", seq });
  });

forEachStore(
  "verifyAudit finds rows that were exchanged, and one that was made up with a good hash",
  async (store) => {
    await fillChain(store, "c1", 6);
    const exchange = async (tx: Tx) => {
      await tx`UPDATE audit SET seq = 100 WHERE seq = 3`;
      await tx`UPDATE audit SET seq = 3 WHERE seq = 4`;
      await tx`UPDATE audit SET seq = 4 WHERE seq = 100`;
    };
    expect(await brokenAfter(store, exchange)).toMatchObject({ seq: 3 });
    await store.write(exchange);
    expect((await verifyAudit(store, undefined)).broken).toBeUndefined();

    const [, , third] = await store.read((tx) => rowsAfter(tx, "c1", 0, 6));
    if (third === undefined) throw new Error("There is no third row.");
    const hash = hashOf({ ...third, principal: "bob" });
    const forge = (tx: Tx) => tx`UPDATE audit SET principal = 'bob', hash = ${hash} WHERE seq = 3`;
    expect(await brokenAfter(store, forge)).toMatchObject({ seq: 4 });
  },
);

forEachStore(
  "verifyAudit finds the end of a chain cut off once another process has started",
  async (store) => {
    await fillChain(store, "c1", 6);
    const next = createAuditTrail({ chain: "c2" });
    await store.write((tx) => next.recordStart(tx, anEvent({ kind: "server" })));
    expect((await verifyAudit(store, undefined)).broken).toBeUndefined();
    expect(
      await brokenAfter(store, (tx) => tx`DELETE FROM audit WHERE chain = 'c1' AND seq > 4`),
    ).toMatchObject({
      chain: "c1",
      seq: 6,
    });
    expect(await brokenAfter(store, (tx) => tx`DELETE FROM audit WHERE chain = 'c1'`)).toMatchObject({
      chain: "c1",
      seq: 6,
    });
  },
);

forEachStore(
  "verifyAudit finds the end of a chain cut off by a start that was not the first row either",
  async (store) => {
    await fillChain(store, "c1", 6);
    const next = createAuditTrail({ chain: "c2" });
    await store.write((tx) => next.record(tx, anEvent()));
    await store.write((tx) => next.recordStart(tx, anEvent({ kind: "server" })));
    expect(
      await brokenAfter(store, (tx) => tx`DELETE FROM audit WHERE chain = 'c1' AND seq > 4`),
    ).toMatchObject({ chain: "c1", seq: 6 });
  },
);

forEachStore(
  "verifyAudit finds nothing wrong while another writes, and nothing at all where nothing was written",
  async (store) => {
    expect(await verifyAudit(store, undefined)).toEqual({ chains: 0, rows: 0, swept: 0 });
    const writing = fillChain(store, "c1", 300);
    for (let n = 0; n < 10; n++) expect((await verifyAudit(store, undefined)).broken).toBeUndefined();
    await writing;
    expect(await verifyAudit(store, undefined)).toEqual({ chains: 1, rows: 300, swept: 0 });
  },
);
