import * as v from "valibot";
import type { Usage } from "../llm/message.ts";
import { every, int } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** One call of a model. */
export interface UsageRecord extends Usage {
  readonly turnId: string;
  readonly sessionId?: string;
  readonly principal: string;
  readonly channel: string;
  readonly model: string;
  readonly now: number;
}

export interface Tokens {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** The sum over all models, and each by itself, the most spent first. */
export interface UsageTotals extends Tokens {
  readonly models: readonly (Tokens & { readonly model: string })[];
}

const ModelRow = v.pipe(
  v.object({
    model: v.string(),
    calls: int,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int,
    reasoning_tokens: int,
  }),
  v.transform((row) => ({
    model: row.model,
    calls: row.calls,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    reasoningTokens: row.reasoning_tokens,
  })),
);

/** Writes a call down and adds it to what its session has spent; calls without a session share one sum. */
export async function record(tx: Tx, call: UsageRecord): Promise<void> {
  const { model, inputTokens, outputTokens, cachedTokens, reasoningTokens } = call;
  await tx`
    INSERT INTO usage (id, turn_id, session_id, principal, channel, model, input_tokens, output_tokens, cached_tokens,
      reasoning_tokens, estimated, created_at)
    VALUES (${Bun.randomUUIDv7()}, ${call.turnId}, ${call.sessionId ?? null}, ${call.principal}, ${call.channel},
      ${model}, ${inputTokens}, ${outputTokens}, ${cachedTokens}, ${reasoningTokens}, ${call.estimated ? 1 : 0},
      ${call.now})`;
  await tx`
    INSERT INTO usage_totals (session_id, model, calls, input_tokens, output_tokens, cached_tokens, reasoning_tokens)
    VALUES (${call.sessionId ?? ""}, ${model}, 1, ${inputTokens}, ${outputTokens}, ${cachedTokens}, ${reasoningTokens})
    ON CONFLICT (session_id, model) DO UPDATE SET
      calls = usage_totals.calls + excluded.calls,
      input_tokens = usage_totals.input_tokens + excluded.input_tokens,
      output_tokens = usage_totals.output_tokens + excluded.output_tokens,
      cached_tokens = usage_totals.cached_tokens + excluded.cached_tokens,
      reasoning_tokens = usage_totals.reasoning_tokens + excluded.reasoning_tokens`;
}

/** Input and output tokens of all the calls of a session. */
export async function spentBySession(tx: Tx, sessionId: string): Promise<number> {
  const { inputTokens, outputTokens } = await sessionTotals(tx, sessionId);
  return inputTokens + outputTokens;
}

export async function sessionTotals(tx: Tx, sessionId: string): Promise<UsageTotals> {
  return totalsOf(await tx`SELECT * FROM usage_totals WHERE session_id = ${sessionId}`);
}

/** What everybody has spent, all told or since a time in milliseconds. */
export async function totals(tx: Tx, { since }: { since?: number } = {}): Promise<UsageTotals> {
  const rows =
    since === undefined
      ? await tx`
          SELECT model, CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
            CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
            CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens
          FROM usage_totals GROUP BY model`
      : await tx`
          SELECT model, count(*) AS calls, CAST(SUM(input_tokens) AS BIGINT) AS input_tokens,
            CAST(SUM(output_tokens) AS BIGINT) AS output_tokens, CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
            CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens
          FROM usage WHERE created_at >= ${since} GROUP BY model`;
  return totalsOf(rows);
}

function totalsOf(rows: Parameters<typeof every>[1]): UsageTotals {
  const models = every(ModelRow, rows).sort((a, b) => spent(b) - spent(a));
  const sum = (count: (tokens: Tokens) => number) => models.reduce((total, model) => total + count(model), 0);
  return {
    calls: sum((model) => model.calls),
    inputTokens: sum((model) => model.inputTokens),
    outputTokens: sum((model) => model.outputTokens),
    cachedTokens: sum((model) => model.cachedTokens),
    reasoningTokens: sum((model) => model.reasoningTokens),
    models,
  };
}

const spent = (tokens: Tokens) => tokens.inputTokens + tokens.outputTokens;
