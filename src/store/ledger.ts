import type { Budgets, Ledger } from "../llm/ledger.ts";
import { costOf, createPrices, type PriceOf } from "../llm/prices.ts";
import type { Store } from "./open.ts";
import * as usage from "./usage.ts";

export interface LedgerOptions {
  readonly priceOf?: PriceOf;
  readonly budgets?: Budgets | undefined;
  readonly now?: () => number;
}

/** The ledger over the store: a row for each call of a model. */
export function createLedger(store: Store, options: LedgerOptions = {}): Ledger {
  const { priceOf = createPrices(), budgets, now = Date.now } = options;
  return {
    ...(budgets !== undefined && { budgets }),
    async record(account, { model, asked, usage: tokens }) {
      // A deployment has a name of its own, and what answers has that of a model; it may also be the other way round.
      const price = priceOf(model) ?? priceOf(asked);
      if (price === undefined) budgets?.noteUnpriced(asked);
      const cost = price === undefined ? {} : { cost: costOf(price, tokens) };
      await store.write((tx) => usage.record(tx, { ...account, ...tokens, ...cost, model, now: now() }));
    },
  };
}
