import { expect, test } from "bun:test";
import type { Account } from "../../src/llm/llm.ts";
import { noUsage } from "../../src/llm/message.ts";
import { createLedger } from "../../src/store/ledger.ts";
import { memoryStore } from "../../src/store/open.ts";
import { spentBySession } from "../../src/store/usage.ts";
import { setUpLog } from "../../src/telemetry/log.ts";

const alice: Account = { turnId: "t1", sessionId: "s1", principal: "alice", channel: "http" };
const use = { model: "m", asked: "m", usage: { ...noUsage, inputTokens: 70, outputTokens: 7 } };

/** A store that takes no records of calls until it is mended. */
async function faultyStore() {
  const store = await memoryStore();
  await store.write(
    (tx) => tx`CREATE TRIGGER fault BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'it is broken'); END`,
  );
  const mend = () => store.write((tx) => tx`DROP TRIGGER fault`);
  return { store, mend, spent: () => store.read((tx) => spentBySession(tx, "s1")) };
}

test("createLedger records a call that the store did not take at first, once", async () => {
  const { store, mend, spent } = await faultyStore();
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
    if (waits.length === 3) await mend();
  };
  await createLedger(store, { wait }).record(alice, use);
  expect((await spent()).tokens).toBe(77);
  expect(waits).toHaveLength(3);
  expect(waits[2]).toBeGreaterThanOrEqual(200);
});

test("createLedger gives a record up after about a day, and says why", async () => {
  const { store } = await faultyStore();
  let waited = 0;
  const ledger = createLedger(store, { wait: async (ms) => void (waited += ms) });
  // Not by `rejects`, which waits in an event loop of its own: its turns are slow while others have connections open.
  const fault: unknown = await ledger.record(alice, use).catch((error: unknown) => error);
  expect(fault).toMatchObject({ cause: { message: "it is broken" } });
  expect(waited).toBeWithin(20 * 3_600_000, 30 * 3_600_000);
});

test("createLedger lets no more than a thousand records wait, and says once that they do", async () => {
  const { store, mend, spent } = await faultyStore();
  const lines: string[] = [];
  setUpLog({ level: "info", pretty: false, sink: (line) => lines.push(line) });
  const gate = Promise.withResolvers<void>();
  const { record } = createLedger(store, { wait: () => gate.promise });
  const all = Promise.allSettled(Array.from({ length: 1010 }, () => record(alice, use)));
  await store.read(async () => {});
  setUpLog({ level: "info", pretty: false, sink: (line) => void process.stderr.write(line) });
  await mend();
  gate.resolve();
  expect((await all).filter(({ status }) => status === "rejected")).toHaveLength(10);
  expect((await spent()).tokens).toBe(77_000);
  expect(lines.filter((line) => line.includes("tried again"))).toHaveLength(1);
});
