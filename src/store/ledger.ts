import type { Budgets, Ledger } from "../llm/ledger.ts";
import { costOf, createPrices, type PriceOf } from "../llm/prices.ts";
import { storeLog as log } from "../telemetry/log.ts";
import type { Store } from "./open.ts";
import * as usage from "./usage.ts";

export interface LedgerOptions {
  readonly priceOf?: PriceOf;
  readonly budgets?: Budgets | undefined;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

/** Together about a day, after which the budgets of a day begin anew; what is not written by then is lost. */
const mostTries = 4000;
const firstWaitMs = 100;
const longestWaitMs = 30_000;
/** Records that wait for another try. */
const mostWaiting = 1000;

/** Half of it by chance, so that what failed together does not come back together. */
const backoffMs = (tries: number) =>
  Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(tries - 1, 20)) * (0.5 + Math.random() / 2);

/** The ledger over the store: a row for each call of a model. */
export function createLedger(store: Store, options: LedgerOptions = {}): Ledger {
  const { priceOf = createPrices(), budgets, now = Date.now, wait = sleep } = options;
  let waiting = 0;

  /** The tokens are spent whether or not the store takes them now. */
  async function write(record: usage.UsageRecord): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await store.write((tx) => usage.record(tx, record));
      } catch (error) {
        if (tries >= mostTries || waiting >= mostWaiting) throw error;
        if (tries === 1 && waiting === 0)
          log.warn("The tokens of a model call cannot be recorded now: that is tried again.", {
            error,
          });
      }
      waiting++;
      await wait(backoffMs(tries)).finally(() => waiting--);
    }
  }

  return {
    ...(budgets !== undefined && { budgets }),
    async record(account, { model, asked, usage: tokens }) {
      // A deployment has a name of its own, and what answers has that of a model; it may also be the other way round.
      const price = priceOf(model, asked);
      if (price === undefined) budgets?.noteUnpriced(asked);
      const cost = price === undefined ? {} : { cost: costOf(price, tokens) };
      await write({ id: Bun.randomUUIDv7(), ...account, ...tokens, ...cost, model, now: now() });
    },
  };
}

function sleep(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms).unref();
  return promise;
}
