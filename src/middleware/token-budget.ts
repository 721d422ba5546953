import { accountOf } from "../agent/account.ts";
import type { Middleware, RunTurn, Turn, TurnEvent } from "../agent/turn.ts";
import type { Budgets } from "../llm/ledger.ts";

/**
 * Stops a turn whose budgets are spent, before it begins or between two of its steps. The ledger asks again, and
 * reserves, when the model is called; here it is said before anything is tried. Without budgets nothing is asked.
 */
export function tokenBudget(budgets: Budgets | undefined): Middleware {
  async function* withinBudget(turn: Turn, next: RunTurn, { check }: Budgets): AsyncIterable<TurnEvent> {
    const account = accountOf(turn);
    for await (const event of next(turn)) {
      // Asked when a step or a summary begins, so that a reply which ends on its last token still goes out.
      if (event.type === "status" && (event.code === "step" || event.code === "compacting"))
        await check(account);
      yield event;
    }
  }
  return (turn, next) => (budgets === undefined ? next(turn) : withinBudget(turn, next, budgets));
}
