import type { Ledger } from "../llm/ledger.ts";
import type { Store } from "./open.ts";
import * as usage from "./usage.ts";

/** The ledger over the store: a row for each call of a model. */
export const createLedger = (store: Store, now: () => number = Date.now): Ledger => ({
  record: (account, { model, usage: tokens }) =>
    store.write((tx) => usage.record(tx, { ...account, ...tokens, model, now: now() })),
  spent: ({ session }) => store.read((tx) => usage.spentBySession(tx, session)),
});
