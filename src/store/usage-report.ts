import * as v from "valibot";
import { every, int } from "./columns.ts";
import type { Row, Tx } from "./tx.ts";

/** What calls took. */
export interface Spending {
  readonly calls: number;
  /** Of them, those whose tokens the provider did not tell. */
  readonly estimatedCalls: number;
  /** Of them, those whose price is not known: `cost` is without them. */
  readonly unpricedCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Millionths of a dollar; absent when no call has a known price. */
  readonly cost?: number;
}

/** The sum over all models, and each by itself, the most spent first. */
export interface UsageTotals extends Spending {
  readonly models: readonly (Spending & { readonly model: string })[];
}

export const usageKeys = ["day", "model", "session", "channel", "principal"] as const;
export type UsageKey = (typeof usageKeys)[number];

const SpendingRow = v.pipe(
  v.object({
    key: v.string(),
    calls: int,
    estimated_calls: int,
    unpriced_calls: int,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int,
    reasoning_tokens: int,
    cost: int,
  }),
  v.transform((row): Spending & { readonly key: string } => ({
    key: row.key,
    calls: row.calls,
    estimatedCalls: row.estimated_calls,
    unpricedCalls: row.unpriced_calls,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    reasoningTokens: row.reasoning_tokens,
    ...(row.calls > row.unpriced_calls && { cost: row.cost }),
  })),
);

export async function sessionTotals(tx: Tx, sessionId: string): Promise<UsageTotals> {
  return totalsOf(
    await tx`SELECT model AS key, usage_totals.* FROM usage_totals WHERE session_id = ${sessionId}`,
  );
}

/** The first and the last day that count, both in UTC. */
export interface Days {
  readonly from?: string;
  readonly to?: string;
}

/** What everybody has spent, by model. */
export const totals = async (tx: Tx, days: Days = {}): Promise<UsageTotals> =>
  totalsOf(await dayRows(tx, days, "model"));

/** What everybody has spent by day (the newest first), or by something else (the most spent first); `limit` of them. */
export async function by(
  tx: Tx,
  key: UsageKey,
  days: Days,
  limit: number,
): Promise<readonly (Spending & { readonly key: string })[]> {
  const rows = every(
    SpendingRow,
    key === "session" ? await sessionRows(tx, days) : await dayRows(tx, days, key),
  );
  const inOrder = key === "day" ? rows.sort((a, b) => (a.key < b.key ? 1 : -1)) : mostFirst(rows);
  return inOrder.slice(0, limit);
}

const firstDay = "";
const lastDay = "9999-12-31";

/** One row for each value of `key`. Days, models, channels and names are few: they are added up from their own table. */
async function dayRows(
  tx: Tx,
  { from, to }: Days,
  key: Exclude<UsageKey, "session">,
): Promise<readonly Row[]> {
  return tx`
    SELECT CASE ${key} WHEN 'day' THEN day WHEN 'channel' THEN channel WHEN 'principal' THEN principal ELSE model END
        AS key,
      CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(estimated_calls) AS BIGINT) AS estimated_calls,
      CAST(SUM(unpriced_calls) AS BIGINT) AS unpriced_calls, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
      CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
      CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens, CAST(SUM(cost) AS BIGINT) AS cost
    FROM usage_days WHERE day >= ${from ?? firstDay} AND day <= ${to ?? lastDay} GROUP BY 1`;
}

const dayMs = 86_400_000;

/** One row for each session; its key is empty for the turns without one. */
async function sessionRows(tx: Tx, { from, to }: Days): Promise<readonly Row[]> {
  if (from === undefined && to === undefined)
    return tx`
      SELECT session_id AS key, CAST(SUM(calls) AS BIGINT) AS calls,
        CAST(SUM(estimated_calls) AS BIGINT) AS estimated_calls, CAST(SUM(unpriced_calls) AS BIGINT) AS unpriced_calls,
        CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
        CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
        CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens, CAST(SUM(cost) AS BIGINT) AS cost
      FROM usage_totals GROUP BY session_id ORDER BY SUM(input_tokens + output_tokens) DESC, 1 LIMIT ${mostSessions}`;
  const since = from === undefined ? 0 : Date.parse(from);
  const until = to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to) + dayMs;
  return tx`
    SELECT COALESCE(session_id, '') AS key, count(*) AS calls, CAST(SUM(estimated) AS BIGINT) AS estimated_calls,
      count(*) - count(cost) AS unpriced_calls, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
      CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
      CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens, CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost
    FROM usage WHERE created_at >= ${since} AND created_at < ${until}
    GROUP BY 1 ORDER BY SUM(input_tokens + output_tokens) DESC, 1 LIMIT ${mostSessions}`;
}

const mostSessions = 200;

const spent = (spending: Spending) => spending.inputTokens + spending.outputTokens;
/** Of those that spent the same, in the order of their keys: databases hand them out as they like. */
const mostFirst = <Each extends Spending & { readonly key: string }>(rows: Each[]) =>
  rows.sort((a, b) => spent(b) - spent(a) || (a.key < b.key ? -1 : 1));

function totalsOf(rows: readonly Row[]): UsageTotals {
  const models = mostFirst(every(SpendingRow, rows)).map(({ key: model, ...spending }) => ({
    model,
    ...spending,
  }));
  const sum = (count: (spending: Spending) => number) =>
    models.reduce((total, model) => total + count(model), 0);
  const calls = sum((model) => model.calls);
  const unpricedCalls = sum((model) => model.unpricedCalls);
  return {
    calls,
    estimatedCalls: sum((model) => model.estimatedCalls),
    unpricedCalls,
    inputTokens: sum((model) => model.inputTokens),
    outputTokens: sum((model) => model.outputTokens),
    cachedTokens: sum((model) => model.cachedTokens),
    reasoningTokens: sum((model) => model.reasoningTokens),
    ...(calls > unpricedCalls && { cost: sum((model) => model.cost ?? 0) }),
    models,
  };
}
