import { AppError } from "../../errors.ts";
import type { Tx } from "../../store/tx.ts";
import * as turns from "../../store/turns.ts";

/** Throws `conflict` while a turn of the session runs or waits. Asked in the commit that changes the session, so that none can begin in between. */
export async function checkIdle(tx: Tx, session: string): Promise<void> {
  if (!(await turns.hasUnfinished(tx, session))) return;
  throw new AppError(
    "conflict",
    `A turn of session ${session} runs or waits: cancel it, or retry when it is done.`,
    { retryAfterMs: 1000 },
  );
}
