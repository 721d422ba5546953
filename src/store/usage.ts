import * as v from "valibot";
import type { Usage } from "../llm/message.ts";
import { int } from "./columns.ts";
import type { Row, Tx } from "./tx.ts";

/** One call of a model. */
export interface UsageRecord extends Usage {
  /** By which a record that is written again is known: it counts once. */
  readonly id?: string;
  readonly turnId: string;
  /** The turn whose delegate made it. */
  readonly parentTurnId?: string;
  readonly sessionId?: string;
  readonly principal: string;
  readonly channel: string;
  readonly model: string;
  /** Millionths of a dollar; absent when the price is not known. */
  readonly cost?: number;
  readonly now: number;
}

/** `2026-11-23`: the day in UTC. */
export const dayOf = (now: number) => new Date(now).toISOString().slice(0, 10);

/** Writes a call down, and adds it to what its session and its day have spent; calls without a session share one sum. */
export async function record(tx: Tx, call: UsageRecord): Promise<void> {
  const { model, inputTokens, outputTokens, cachedTokens, reasoningTokens, cost, principal, channel } = call;
  const estimated = call.estimated ? 1 : 0;
  const unpriced = cost === undefined ? 1 : 0;
  const written = await tx`
    INSERT INTO usage (id, turn_id, session_id, principal, channel, model, input_tokens, output_tokens, cached_tokens,
      reasoning_tokens, estimated, cost, created_at, parent_turn_id)
    VALUES (${call.id ?? Bun.randomUUIDv7()}, ${call.turnId}, ${call.sessionId ?? null}, ${principal}, ${channel}, ${model},
      ${inputTokens}, ${outputTokens}, ${cachedTokens}, ${reasoningTokens}, ${estimated}, ${cost ?? null}, ${call.now},
      ${call.parentTurnId ?? null})
    ON CONFLICT (id) DO NOTHING RETURNING id`;
  if (written.length === 0) return;
  await tx`
    INSERT INTO usage_totals (session_id, model, calls, estimated_calls, unpriced_calls, input_tokens, output_tokens,
      cached_tokens, reasoning_tokens, cost)
    VALUES (${call.sessionId ?? ""}, ${model}, 1, ${estimated}, ${unpriced}, ${inputTokens}, ${outputTokens},
      ${cachedTokens}, ${reasoningTokens}, ${cost ?? 0})
    ON CONFLICT (session_id, model) DO UPDATE SET
      calls = usage_totals.calls + excluded.calls,
      estimated_calls = usage_totals.estimated_calls + excluded.estimated_calls,
      unpriced_calls = usage_totals.unpriced_calls + excluded.unpriced_calls,
      input_tokens = usage_totals.input_tokens + excluded.input_tokens,
      output_tokens = usage_totals.output_tokens + excluded.output_tokens,
      cached_tokens = usage_totals.cached_tokens + excluded.cached_tokens,
      reasoning_tokens = usage_totals.reasoning_tokens + excluded.reasoning_tokens,
      cost = usage_totals.cost + excluded.cost`;
  await tx`
    INSERT INTO usage_days (day, principal, channel, model, calls, estimated_calls, unpriced_calls, input_tokens,
      output_tokens, cached_tokens, reasoning_tokens, cost)
    VALUES (${dayOf(call.now)}, ${principal}, ${channel}, ${model}, 1, ${estimated}, ${unpriced}, ${inputTokens},
      ${outputTokens}, ${cachedTokens}, ${reasoningTokens}, ${cost ?? 0})
    ON CONFLICT (day, principal, channel, model) DO UPDATE SET
      calls = usage_days.calls + excluded.calls,
      estimated_calls = usage_days.estimated_calls + excluded.estimated_calls,
      unpriced_calls = usage_days.unpriced_calls + excluded.unpriced_calls,
      input_tokens = usage_days.input_tokens + excluded.input_tokens,
      output_tokens = usage_days.output_tokens + excluded.output_tokens,
      cached_tokens = usage_days.cached_tokens + excluded.cached_tokens,
      reasoning_tokens = usage_days.reasoning_tokens + excluded.reasoning_tokens,
      cost = usage_days.cost + excluded.cost`;
}

/** The sum of a session that is deleted joins that of the turns without one, so that another of its name begins at nothing. */
export async function forgetSession(tx: Tx, sessionId: string): Promise<void> {
  await tx`
    INSERT INTO usage_totals (session_id, model, calls, estimated_calls, unpriced_calls, input_tokens, output_tokens,
      cached_tokens, reasoning_tokens, cost)
    SELECT '', model, calls, estimated_calls, unpriced_calls, input_tokens, output_tokens, cached_tokens,
      reasoning_tokens, cost
    FROM usage_totals WHERE session_id = ${sessionId}
    ON CONFLICT (session_id, model) DO UPDATE SET
      calls = usage_totals.calls + excluded.calls,
      estimated_calls = usage_totals.estimated_calls + excluded.estimated_calls,
      unpriced_calls = usage_totals.unpriced_calls + excluded.unpriced_calls,
      input_tokens = usage_totals.input_tokens + excluded.input_tokens,
      output_tokens = usage_totals.output_tokens + excluded.output_tokens,
      cached_tokens = usage_totals.cached_tokens + excluded.cached_tokens,
      reasoning_tokens = usage_totals.reasoning_tokens + excluded.reasoning_tokens,
      cost = usage_totals.cost + excluded.cost`;
  await tx`DELETE FROM usage_totals WHERE session_id = ${sessionId}`;
}

const Sum = v.object({ tokens: int, cost: int });
type Sum = v.InferOutput<typeof Sum>;
const sumOf = (rows: readonly Row[]): Sum => v.parse(Sum, rows[0]);

const TurnSum = v.pipe(
  v.object({ input_tokens: int, output_tokens: int, cost: int }),
  v.transform(({ input_tokens: inputTokens, output_tokens: outputTokens, cost }) => ({
    inputTokens,
    outputTokens,
    tokens: inputTokens + outputTokens,
    cost,
  })),
);

/** What all the calls of a turn and of its delegates took, theirs too. (Who delegates has made a call.) */
export async function spentByTurn(tx: Tx, turnId: string): Promise<v.InferOutput<typeof TurnSum>> {
  const rows = await tx`
    WITH RECURSIVE tree (id) AS (
      SELECT turn_id FROM usage WHERE turn_id = ${turnId}
      UNION
      SELECT usage.turn_id FROM usage JOIN tree ON usage.parent_turn_id = tree.id
    )
    SELECT CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
      CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
      CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost
    FROM usage WHERE turn_id IN (SELECT id FROM tree)`;
  return v.parse(TurnSum, rows[0]);
}

/** Input and output tokens of all the calls of a session. */
export async function spentBySession(tx: Tx, sessionId: string): Promise<Sum> {
  return sumOf(
    await tx`
    SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
      CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost
    FROM usage_totals WHERE session_id = ${sessionId}`,
  );
}

/** What was spent on a day, by everybody or by one principal. */
export async function spentOnDay(tx: Tx, day: string, principal?: string): Promise<Sum> {
  const rows =
    principal === undefined
      ? await tx`
          SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
            CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost
          FROM usage_days WHERE day = ${day}`
      : await tx`
          SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
            CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS cost
          FROM usage_days WHERE day = ${day} AND principal = ${principal}`;
  return sumOf(rows);
}
