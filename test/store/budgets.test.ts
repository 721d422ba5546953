import { expect, test } from "bun:test";
import type { Account } from "../../src/llm/llm.ts";
import { noUsage } from "../../src/llm/message.ts";
import { createPrices } from "../../src/llm/prices.ts";
import { type BudgetLimits, createBudgets } from "../../src/store/budgets.ts";
import { createLedger } from "../../src/store/ledger.ts";
import { memoryStore } from "../../src/store/open.ts";

const noon = Date.parse("2026-11-23T12:00:00Z");
const alice: Account = { turnId: "t1", sessionId: "s1", principal: "alice", channel: "http" };
const bob: Account = { turnId: "t2", sessionId: "s2", principal: "bob", channel: "http" };

async function made(limits: Partial<BudgetLimits>) {
  const store = await memoryStore();
  const clock = { now: noon };
  const priceOf = createPrices({ dear: { input: 10, output: 100 } });
  const all = { tokensPerTurn: 0, tokensPerSession: 0, tokensPerDay: 0, costPerDay: 0, tokensPerName: {} };
  const budgets = createBudgets(store, { ...all, ...limits }, priceOf, () => clock.now);
  if (budgets === undefined) throw new Error("There are no budgets.");
  const ledger = createLedger(store, { priceOf, budgets, now: () => clock.now });
  const spend = (account: Account, inputTokens: number, model = "dear") =>
    ledger.record(account, { model, asked: model, usage: { ...noUsage, inputTokens } });
  const refusal = (account: Account) =>
    budgets.check(account).then(
      () => undefined,
      (error) => error,
    );
  return { budgets, spend, refusal, clock };
}

test("createBudgets is nothing where nothing is limited", async () => {
  const none = { tokensPerTurn: 0, tokensPerSession: 0, tokensPerDay: 0, costPerDay: 0, tokensPerName: {} };
  expect(createBudgets(await memoryStore(), none, createPrices())).toBeUndefined();
});

test("check refuses a turn, a session or a name that has spent its tokens, and nobody else", async () => {
  for (const limits of [
    { tokensPerTurn: 100 },
    { tokensPerSession: 100 },
    { tokensPerName: { alice: 100 } },
  ]) {
    const { spend, refusal } = await made(limits);
    await spend(alice, 99);
    expect(await refusal(alice)).toBeUndefined();
    await spend(alice, 2);
    expect(await refusal(alice)).toMatchObject({ code: "budget_exceeded" });
    expect(await refusal(bob)).toBeUndefined();
  }
});

test("check says what was used, the limit, and when it resets", async () => {
  const { spend, refusal, clock } = await made({ tokensPerDay: 100 });
  await spend(alice, 150);

  expect(await refusal(bob)).toMatchObject({
    code: "budget_exceeded",
    message:
      "Today this server has spent 150 of its 100 tokens (OPENCLAW_DAILY_TOKEN_BUDGET). It resets at 2026-11-24T00:00:00.000Z.",
    retryAfterMs: 12 * 3_600_000,
  });
  clock.now = noon + 12 * 3_600_000;
  expect(await refusal(bob)).toBeUndefined();
});

test("a name that is none, such as __proto__, has no budget of its own", async () => {
  const { refusal } = await made({ tokensPerName: { alice: 1 } });
  expect(await refusal({ ...bob, principal: "__proto__" })).toBeUndefined();
});

test("check keeps a budget of dollars, in whole millionths", async () => {
  const { spend, refusal } = await made({ costPerDay: 1_000_000 });
  await spend(alice, 99_999);
  expect(await refusal(alice)).toBeUndefined();
  await spend(bob, 1);
  const refused = await refusal(alice);
  expect(refused.message).toContain("has spent $1.0000 of its $1.0000 (OPENCLAW_DAILY_COST_BUDGET)");
});

test("reserve refuses a model under a budget of dollars once its answer had no price", async () => {
  const { budgets, spend } = await made({ costPerDay: 1_000_000 });
  (await budgets.reserve(alice, "mystery", 10))();
  await spend(alice, 10, "mystery");

  await expect(budgets.reserve(alice, "mystery", 10)).rejects.toThrow("OPENCLAW_PRICES");
  (await budgets.reserve(alice, "dear", 10))();
});

test("reserve admits no second call for the same rest, and gives back what was not spent", async () => {
  const { budgets } = await made({ tokensPerDay: 100 });
  const asked = Array.from({ length: 20 }, () => budgets.reserve(alice, "dear", 40));
  const admitted = (await Promise.allSettled(asked)).filter((each) => each.status === "fulfilled");
  // 40, 80: 20 are left, which is less than the third takes.
  expect(admitted).toHaveLength(2);

  await expect(budgets.reserve(bob, "dear", 21)).rejects.toThrow(
    "has spent 80, 80 of it by calls that are under way, of its 100 tokens (OPENCLAW_DAILY_TOKEN_BUDGET), and this call would take about 21 more.",
  );
  (await budgets.reserve(bob, "dear", 20))();
  for (const { value: release } of admitted) release();
  (await budgets.reserve(bob, "dear", 100))();
});

test("reserve refuses a call whose input is more than what is left, in tokens and in dollars", async () => {
  for (const limits of [{ tokensPerSession: 1000 }, { costPerDay: 10_000 }]) {
    const { budgets, spend } = await made(limits);
    await expect(budgets.reserve(alice, "dear", 1001)).rejects.toMatchObject({ code: "budget_exceeded" });
    (await budgets.reserve(alice, "dear", 1000))();
    await spend(alice, 900);
    await expect(budgets.reserve(alice, "dear", 101)).rejects.toMatchObject({ code: "budget_exceeded" });
    (await budgets.reserve(alice, "dear", 100))();
  }
});

test("reserve waits for the bill of what was answered: its estimate does not stand for it", async () => {
  const { budgets, spend } = await made({ tokensPerTurn: 1000 });
  const gate = Promise.withResolvers<void>();
  const release = await budgets.reserve(alice, "dear", 40);
  release(gate.promise.then(() => spend(alice, 900)));
  let isAdmitted = false;
  const next = budgets.reserve(alice, "dear", 40).then((release) => {
    isAdmitted = true;
    return release;
  });
  await Bun.sleep(5);
  expect(isAdmitted).toBe(false);
  gate.resolve();
  // 900 are spent, and neither 40 nor 940: the second call is admitted, and the third is not.
  (await next)(spend(alice, 100));
  await expect(budgets.reserve(alice, "dear", 40)).rejects.toThrow("has spent 1000 of its 1000 tokens");
});

test("what was answered counts as what it took, and no call waits long, while the store does not take its bill", async () => {
  const { budgets, spend } = await made({ tokensPerDay: 1000 });
  const gate = Promise.withResolvers<void>();
  const usage = { ...noUsage, inputTokens: 600, outputTokens: 300 };
  const release = await budgets.reserve(alice, "dear", 40);
  const written = gate.promise.then(() => spend(alice, 900));
  release(written, { model: "dear", asked: "dear", usage });

  await expect(budgets.reserve(bob, "dear", 101)).rejects.toThrow(
    "has spent 900, 900 of it by calls that are under way, of its 1000 tokens",
  );
  (await budgets.reserve(bob, "dear", 100))();
  gate.resolve();
  await written;
  await expect(budgets.reserve(bob, "dear", 101)).rejects.toThrow("has spent 900 of its 1000 tokens");
});
