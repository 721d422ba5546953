import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import type { Ledger } from "../llm/ledger.ts";

/** Stops a session that has spent its tokens: before a turn, or between two steps of one. 0: no limit. */
export function tokenBudget(limit: number, ledger: Ledger): Middleware {
  async function* withinBudget(turn: Turn, session: string, next: RunTurn): AsyncIterable<TurnEvent> {
    for await (const event of next(turn)) {
      // Asked when a step begins, so that a reply which ends on its last token still goes out.
      if (event.type === "status" && event.code === "step") {
        const spent = await ledger.spent({ session });
        if (spent >= limit) throw budgetExceeded(session, spent, limit);
      }
      yield event;
    }
  }
  return (turn, next) =>
    turn.sessionId === undefined || limit === 0 ? next(turn) : withinBudget(turn, turn.sessionId, next);
}

const budgetExceeded = (session: string, spent: number, limit: number) =>
  new AppError(
    "budget_exceeded",
    `Session ${session} has spent ${spent} of its ${limit} tokens (OPENCLAW_SESSION_TOKEN_BUDGET). Begin a new session, or raise the budget.`,
  );
