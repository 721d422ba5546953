import { expect } from "bun:test";
import type { Tx } from "../../src/store/tx.ts";
import * as usage from "../../src/store/usage.ts";
import { by, sessionTotals, totals, type UsageKey } from "../../src/store/usage-report.ts";
import { forEachStore } from "./stores.ts";

const monday = Date.parse("2026-11-23T12:00:00Z");
const tuesday = Date.parse("2026-11-24T00:00:00Z");

const record = (tx: Tx, more: Partial<usage.UsageRecord>) =>
  usage.record(tx, {
    ...{ turnId: "t1", principal: "alice", channel: "http", model: "small", estimated: false, now: monday },
    ...{ inputTokens: 10, outputTokens: 5, cachedTokens: 4, reasoningTokens: 1 },
    ...more,
  });

forEachStore("record adds a call to what its turn, its session, its day and its model have spent", (store) =>
  store.write(async (tx) => {
    await record(tx, { sessionId: "s1", cost: 7 });
    await record(tx, { sessionId: "s1", estimated: true, cost: 3 });
    await record(tx, { sessionId: "s1", model: "big", inputTokens: 100, turnId: "t2" });
    await record(tx, { sessionId: "s2", now: tuesday, principal: "bob", cost: 0 });
    await record(tx, { channel: "openai" });

    expect(await usage.spentBySession(tx, "s1")).toEqual({ tokens: 15 + 15 + 105, cost: 10 });
    expect(await usage.spentBySession(tx, "s9")).toEqual({ tokens: 0, cost: 0 });
    expect(await usage.spentByTurn(tx, "t2")).toMatchObject({ tokens: 105, cost: 0 });
    await record(tx, {
      turnId: "t3",
      parentTurnId: "t2",
      inputTokens: 20,
      now: tuesday,
      channel: "delegate",
    });
    await record(tx, {
      turnId: "t4",
      parentTurnId: "t3",
      inputTokens: 30,
      now: tuesday,
      channel: "delegate",
    });
    expect(await usage.spentByTurn(tx, "t2")).toEqual({
      ...{ inputTokens: 100 + 20 + 30, outputTokens: 15, tokens: 105 + 25 + 35, cost: 0 },
    });
    expect(await usage.spentByTurn(tx, "t3")).toMatchObject({ tokens: 25 + 35, cost: 0 });
    expect(await usage.spentOnDay(tx, "2026-11-23")).toEqual({ tokens: 150, cost: 10 });
    expect(await usage.spentOnDay(tx, "2026-11-23", "bob")).toEqual({ tokens: 0, cost: 0 });
    expect(await usage.spentOnDay(tx, "2026-11-24", "bob")).toEqual({ tokens: 15, cost: 0 });
  }),
);

forEachStore("record counts a call once that is written down again under its id", (store) =>
  store.write(async (tx) => {
    for (let times = 0; times < 3; times++) await record(tx, { id: "u1", sessionId: "s1", cost: 7 });
    await record(tx, { id: "u2", sessionId: "s1" });

    expect(await usage.spentByTurn(tx, "t1")).toMatchObject({ tokens: 30, cost: 7 });
    expect(await usage.spentBySession(tx, "s1")).toEqual({ tokens: 30, cost: 7 });
    expect(await usage.spentOnDay(tx, "2026-11-23")).toEqual({ tokens: 30, cost: 7 });
  }),
);

forEachStore("sessionTotals leaves out what is not known: no price is no cost, not a cost of zero", (store) =>
  store.write(async (tx) => {
    await record(tx, { sessionId: "s1", cost: 7 });
    await record(tx, { sessionId: "s1", estimated: true });
    await record(tx, { sessionId: "s1", model: "big", inputTokens: 100 });

    expect(await sessionTotals(tx, "s1")).toEqual({
      ...{ calls: 3, estimatedCalls: 1, unpricedCalls: 2, cost: 7 },
      ...{ inputTokens: 120, outputTokens: 15, cachedTokens: 12, reasoningTokens: 3 },
      models: [
        {
          ...{ model: "big", calls: 1, estimatedCalls: 0, unpricedCalls: 1 },
          ...{ inputTokens: 100, outputTokens: 5, cachedTokens: 4, reasoningTokens: 1 },
        },
        {
          ...{ model: "small", calls: 2, estimatedCalls: 1, unpricedCalls: 1, cost: 7 },
          ...{ inputTokens: 20, outputTokens: 10, cachedTokens: 8, reasoningTokens: 2 },
        },
      ],
    });
  }),
);

forEachStore("by tells the same sum by day, model, session, channel and principal", (store) =>
  store.write(async (tx) => {
    await record(tx, { sessionId: "s1", cost: 2 });
    await record(tx, { sessionId: "s1", model: "big", inputTokens: 1000, now: tuesday, principal: "bob" });
    await record(tx, { channel: "openai", cost: 4 });
    const read = async (key: UsageKey, days = {}) =>
      (await by(tx, key, days, 10)).map((row) => [row.key, row.calls, row.inputTokens, row.cost]);

    expect(await read("day")).toEqual([
      ["2026-11-24", 1, 1000, undefined],
      ["2026-11-23", 2, 20, 6],
    ]);
    expect(await read("model")).toEqual([
      ["big", 1, 1000, undefined],
      ["small", 2, 20, 6],
    ]);
    expect(await read("session")).toEqual([
      ["s1", 2, 1010, 2],
      ["", 1, 10, 4],
    ]);
    expect((await read("channel")).map(([key]) => key)).toEqual(["http", "openai"]);
    expect((await read("principal")).map(([key]) => key)).toEqual(["bob", "alice"]);

    const day = { from: "2026-11-24", to: "2026-11-24" };
    expect(await read("session", day)).toEqual([["s1", 1, 1000, undefined]]);
    expect(await totals(tx, day)).toMatchObject({ calls: 1, unpricedCalls: 1, inputTokens: 1000 });
    expect(await totals(tx)).toMatchObject({ calls: 3, inputTokens: 1020, cost: 6 });
    expect(await totals(tx, { from: "2027-01-01" })).toMatchObject({ calls: 0, models: [] });
  }),
);
