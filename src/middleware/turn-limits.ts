import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError, cancelled } from "../errors.ts";
import type { Store } from "../store/open.ts";
import * as turns from "../store/turns.ts";
import * as usage from "../store/usage.ts";

interface Limit {
  readonly turnId: string;
  readonly tokens: number;
}

/** What bounds a turn: its own limit, and those of the turns above it, which its tokens count for too. */
function limitsOf({ id, request: { maxTokens, cause } }: Turn): readonly Limit[] {
  const own = maxTokens === undefined ? [] : [{ turnId: id, tokens: maxTokens }];
  return cause?.kind === "delegate" ? [...cause.limits, ...own] : own;
}

function spentAll({ turnId, tokens }: Limit, spent: number, turn: Turn): AppError {
  const who = turnId === turn.id ? (turn.request.agent ?? "This turn") : "The turn that delegated this";
  return new AppError(
    "budget_exceeded",
    `${who} may take ${tokens} tokens, its delegates' included, and ${spent} are spent. What was done so far is kept.`,
  );
}

/**
 * Ends a turn, between two of its steps, that has taken the tokens it may take; and a delegate whose parent is over,
 * which it may be when a process was killed.
 */
export function turnLimits(store: Store): Middleware {
  async function check(turn: Turn, limits: readonly Limit[]) {
    const { cause } = turn.request;
    // A write, because it stands behind those of the calls that have just ended.
    await store.write(async (tx) => {
      if (cause?.kind === "delegate") {
        const parent = await turns.find(tx, cause.turnId);
        const isOver = parent === undefined ? turn.resumed : parent.endedAt !== undefined;
        if (isOver) throw cancelled("The turn that delegated this has ended.");
      }
      for (const limit of limits) {
        const { tokens } = await usage.spentByTurn(tx, limit.turnId);
        if (tokens >= limit.tokens) throw spentAll(limit, tokens, turn);
      }
    });
  }

  async function* limited(turn: Turn, limits: readonly Limit[], next: RunTurn): AsyncIterable<TurnEvent> {
    // Before the calls that an earlier process left are gone on with.
    if (turn.resumed) await check(turn, limits);
    for await (const event of next(turn)) {
      if (event.type === "status" && event.code === "step") await check(turn, limits);
      yield event;
    }
  }

  return (turn, next) => {
    const limits = limitsOf(turn);
    const isBound = limits.length > 0 || turn.request.cause?.kind === "delegate";
    return isBound ? limited(turn, limits, next) : next(turn);
  };
}
