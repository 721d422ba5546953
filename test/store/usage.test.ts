import { expect, test } from "bun:test";
import { memoryStore } from "../../src/store/open.ts";
import type { Tx } from "../../src/store/tx.ts";
import * as usage from "../../src/store/usage.ts";
import { now } from "./records.ts";

const record = (tx: Tx, more: Partial<usage.UsageRecord>) =>
  usage.record(tx, {
    ...{ turnId: "t1", principal: "alice", channel: "http", model: "small", estimated: false, now },
    ...{ inputTokens: 10, outputTokens: 5, cachedTokens: 4, reasoningTokens: 1 },
    ...more,
  });

test("record adds a call to what its session and its model have spent", async () => {
  const store = await memoryStore();
  await store.write(async (tx) => {
    await record(tx, { sessionId: "s1" });
    await record(tx, { sessionId: "s1", estimated: true, now: now + 1 });
    await record(tx, { sessionId: "s1", model: "big", inputTokens: 100 });
    await record(tx, { sessionId: "s2", now: now + 5 });
    await record(tx, {});

    expect(await usage.spentBySession(tx, "s1")).toBe(15 + 15 + 105);
    expect(await usage.spentBySession(tx, "s9")).toBe(0);
    expect(await usage.sessionTotals(tx, "s1")).toEqual({
      ...{ calls: 3, inputTokens: 120, outputTokens: 15, cachedTokens: 12, reasoningTokens: 3 },
      models: [
        { model: "big", calls: 1, inputTokens: 100, outputTokens: 5, cachedTokens: 4, reasoningTokens: 1 },
        { model: "small", calls: 2, inputTokens: 20, outputTokens: 10, cachedTokens: 8, reasoningTokens: 2 },
      ],
    });
    expect(await usage.totals(tx)).toMatchObject({ calls: 5, inputTokens: 140, outputTokens: 25 });
    expect(await usage.totals(tx, { since: now + 1 })).toMatchObject({
      calls: 2,
      inputTokens: 20,
      models: [{ model: "small", calls: 2 }],
    });
    expect(await usage.totals(tx, { since: now + 6 })).toMatchObject({
      calls: 0,
      inputTokens: 0,
      models: [],
    });
  });
});
