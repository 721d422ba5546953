import { AppError } from "../errors.ts";
import type { Budgets, Release } from "../llm/ledger.ts";
import type { Account } from "../llm/llm.ts";
import { costOf, type PriceOf } from "../llm/prices.ts";
import type { Store } from "./open.ts";
import type { Tx } from "./tx.ts";
import * as usage from "./usage.ts";

/** What may be spent; 0: no limit. A day is one of UTC. */
export interface BudgetLimits {
  readonly tokensPerTurn: number;
  readonly tokensPerSession: number;
  readonly tokensPerDay: number;
  /** Millionths of a dollar. */
  readonly costPerDay: number;
  /** Tokens a day by the name of a principal. */
  readonly tokensPerName: Readonly<Record<string, number>>;
}

/** One budget that an account has to keep. */
interface Budget {
  readonly limit: number;
  readonly unit: "tokens" | "cost";
  /** As a sentence begins with it. */
  readonly who: string;
  readonly setting: string;
  /** What can be done, and when it resets. */
  readonly hint: string;
  readonly resets: "never" | "daily";
  spent(tx: Tx): Promise<{ readonly tokens: number; readonly cost: number }>;
  /** Whether a call that is under way counts. */
  counts(account: Account): boolean;
}

/** What a call takes, as it is estimated before and told after it. */
interface Reserved {
  readonly account: Account;
  tokens: number;
  cost: number;
}

const dayMs = 86_400_000;
const nextDay = (now: number) => (Math.floor(now / dayMs) + 1) * dayMs;

const amount = (value: number, unit: Budget["unit"]) =>
  unit === "tokens" ? `${value}` : `$${(value / 1_000_000).toFixed(4)}`;

/** Delegates spend the budget of the turn at the top. */
const rootTurn = ({ turnId, rootTurnId }: Account) => rootTurnId ?? turnId;

function budgetsOf(limits: BudgetLimits, account: Account, now: number): Budget[] {
  const { sessionId, principal } = account;
  const turnId = rootTurn(account);
  const day = usage.dayOf(now);
  const daily = { resets: "daily", hint: `It resets at ${new Date(nextDay(now)).toISOString()}.` } as const;
  const budgets: Budget[] = [
    {
      limit: limits.tokensPerTurn,
      unit: "tokens",
      who: "This turn",
      setting: "OPENCLAW_TURN_TOKEN_BUDGET",
      hint: "What it did so far is kept, and the next turn begins at 0.",
      resets: "never",
      spent: (tx) => usage.spentByTurn(tx, turnId),
      counts: (other) => rootTurn(other) === turnId,
    },
    {
      limit: sessionId === undefined ? 0 : limits.tokensPerSession,
      unit: "tokens",
      who: `Session ${sessionId}`,
      setting: "OPENCLAW_SESSION_TOKEN_BUDGET",
      hint: "It does not reset: begin a new session, or raise the budget.",
      resets: "never",
      spent: (tx) => usage.spentBySession(tx, sessionId ?? ""),
      counts: (other) => other.sessionId === sessionId,
    },
    {
      limit: Object.hasOwn(limits.tokensPerName, principal) ? (limits.tokensPerName[principal] ?? 0) : 0,
      unit: "tokens",
      who: `Today ${principal}`,
      setting: "OPENCLAW_NAME_TOKEN_BUDGETS",
      spent: (tx) => usage.spentOnDay(tx, day, principal),
      counts: (other) => other.principal === principal,
      ...daily,
    },
    {
      limit: limits.tokensPerDay,
      unit: "tokens",
      who: "Today this server",
      setting: "OPENCLAW_DAILY_TOKEN_BUDGET",
      spent: (tx) => usage.spentOnDay(tx, day),
      counts: () => true,
      ...daily,
    },
    {
      limit: limits.costPerDay,
      unit: "cost",
      who: "Today this server",
      setting: "OPENCLAW_DAILY_COST_BUDGET",
      spent: (tx) => usage.spentOnDay(tx, day),
      counts: () => true,
      ...daily,
    },
  ];
  return budgets.filter(({ limit }) => limit > 0);
}

/** What a budget has left is not enough: all of it is spent, or what the call `needs` is more. */
function exceeded(
  budget: Budget,
  { spent, underWay, needs }: { spent: number; underWay: number; needs: number },
  now: number,
): AppError {
  const { who, unit, limit, setting, hint } = budget;
  const of = unit === "tokens" ? `${amount(limit, unit)} tokens` : amount(limit, unit);
  const waits = underWay > 0 ? `, ${amount(underWay, unit)} of it by calls that are under way,` : "";
  const more = spent + underWay < limit ? `, and this call would take about ${amount(needs, unit)} more` : "";
  return new AppError(
    "budget_exceeded",
    `${who} has spent ${amount(spent + underWay, unit)}${waits} of its ${of} (${setting})${more}. ${hint}`,
    budget.resets === "daily" ? { retryAfterMs: nextDay(now) - now } : {},
  );
}

/**
 * Budgets whose truth is the store, so that they hold over restarts and for several processes; what is under way in
 * this process counts as spent. Undefined when nothing is limited: then nothing is asked.
 */
export function createBudgets(
  store: Store,
  limits: BudgetLimits,
  priceOf: PriceOf,
  now: () => number = Date.now,
): Budgets | undefined {
  const { tokensPerTurn, tokensPerSession, tokensPerDay, costPerDay, tokensPerName } = limits;
  const any =
    tokensPerTurn + tokensPerSession + tokensPerDay + costPerDay + Object.keys(tokensPerName).length;
  if (any === 0) return undefined;

  const underWay = new Set<Reserved>();
  /** Answers whose tokens are known and not yet in the store. */
  const bills = new Set<Promise<void>>();
  /** Models whose answers have no known price: what they cost cannot be kept within a budget. */
  const unpriced = new Set<string>();
  /** One after the other, so that no two calls are admitted for the same rest. */
  let line: Promise<unknown> = Promise.resolve();

  async function check(account: Account, needs = { tokens: 0, cost: 0 }): Promise<void> {
    const at = now();
    const budgets = budgetsOf(limits, account, at);
    if (budgets.length === 0) return;
    // An estimate must not stand for what is known: the next step of a turn would begin before the last one is counted.
    await Promise.all(bills);
    // Counted before the store is read: a call that ends meanwhile is counted twice rather than not at all.
    const reserved = budgets.map((budget) =>
      [...underWay].reduce((sum, call) => sum + (budget.counts(call.account) ? call[budget.unit] : 0), 0),
    );
    const spent = await store.read(async (tx) => {
      const sums: number[] = [];
      for (const budget of budgets) sums.push((await budget.spent(tx))[budget.unit]);
      return sums;
    });
    for (const [index, budget] of budgets.entries()) {
      const [used = 0, waiting = 0] = [spent[index], reserved[index]];
      const left = budget.limit - used - waiting;
      const needed = needs[budget.unit];
      if (left <= 0 || left < needed)
        throw exceeded(budget, { spent: used, underWay: waiting, needs: needed }, at);
    }
  }

  return {
    check: (account) => check(account),
    reserve(account, model, tokens) {
      const reserve = async (): Promise<Release> => {
        if (costPerDay > 0 && unpriced.has(model)) throw unknownPrice(model);
        const price = priceOf(model);
        const cost =
          price === undefined ? 0 : costOf(price, { inputTokens: tokens, cachedTokens: 0, outputTokens: 0 });
        const call: Reserved = { account, tokens, cost };
        await check(account, call);
        underWay.add(call);
        return (written, use) => {
          if (written === undefined) return void underWay.delete(call);
          if (use !== undefined) {
            const price = priceOf(use.model, use.asked);
            call.tokens = use.usage.inputTokens + use.usage.outputTokens;
            call.cost = price === undefined ? 0 : costOf(price, use.usage);
          }
          const late = Promise.withResolvers<void>();
          const timer = setTimeout(late.resolve, billWaitMs).unref();
          const counted = written.finally(() => {
            underWay.delete(call);
            clearTimeout(timer);
          });
          const bill = Promise.race([counted, late.promise]).finally(() => bills.delete(bill));
          bills.add(bill);
        };
      };
      const reserved = line.then(reserve, reserve);
      line = reserved.catch(() => {});
      return reserved;
    },
    noteUnpriced(model) {
      if (unpriced.size < mostUnpriced) unpriced.add(model);
    },
  };
}

const mostUnpriced = 1000;
/** For so long a call waits for the bill of another: then the store fails, and what the other took counts as under way. */
const billWaitMs = 1000;

const unknownPrice = (model: string) =>
  new AppError(
    "budget_exceeded",
    `What ${model} costs is not known, so it cannot be kept within OPENCLAW_DAILY_COST_BUDGET. Set its price in OPENCLAW_PRICES; one that is free costs 0.`,
  );
