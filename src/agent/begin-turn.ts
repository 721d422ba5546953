import { AppError } from "../errors.ts";
import type { Message } from "../llm/message.ts";
import { openCalls } from "../store/open-calls.ts";
import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as leases from "../store/turn-leases.ts";
import * as turns from "../store/turns.ts";

/** Throws where a turn is nothing but results of the client's tools, and none of them is waited for: the model would be asked without it. */
async function checkResults(tx: Tx, messages: readonly Message[], leafId: string | undefined) {
  const [first] = messages;
  if (first === undefined || messages.some(({ role }) => role !== "tool")) return;
  const open = leafId === undefined ? [] : await openCalls(tx, leafId);
  if (messages.some(({ callIds }) => callIds.some((id) => open.includes(id)))) return;
  throw new AppError(
    "bad_request",
    `No call with the id ${String(first.callIds[0]).slice(0, 100)} waits for its result here: it has one, or the session stands elsewhere.`,
  );
}

/**
 * Puts a turn's own messages at the end of its session's path and says that it began, in one commit. Where the
 * session stood before is kept with the turn, so that one that is refused leaves no trace in the conversation.
 */
export async function beginTurn(
  tx: Tx,
  of: { turnId: string; sessionId: string; messages: readonly Message[]; now: number },
): Promise<void> {
  const { turnId, sessionId, messages, now } = of;
  const session = await sessions.find(tx, sessionId);
  const { leafId: baseLeafId } = session ?? {};
  await checkResults(tx, messages, baseLeafId);
  let userEntryId: string | undefined;
  for (const message of messages) userEntryId = await sessions.append(tx, sessionId, turnId, message, now);
  await turns.start(tx, turnId, {
    now,
    ...(userEntryId !== undefined && { userEntryId }),
    ...(baseLeafId !== undefined && { baseLeafId }),
  });
}

/** Refusals that come before the model was asked: the conversation then is as if the turn had not been. */
export const refusals: readonly string[] = ["rate_limited", "budget_exceeded", "busy"];

/** True of a turn whose beginning was undone: its message may be sent again, and is run then. */
export const isTakenBack = ({ state, startedAt, errorCode = "" }: turns.TurnRow): boolean =>
  state === "failed" && startedAt === undefined && refusals.includes(errorCode);

/** Undoes the beginning of a turn that was refused before the model was asked: the session stands where it stood, and the turn is not counted as begun. */
export async function takeBackTurn(tx: Tx, turnId: string, now: number): Promise<void> {
  const turn = await turns.find(tx, turnId);
  const session = turn && (await sessions.find(tx, turn.sessionId));
  if (turn === undefined || session === undefined) return;
  await turns.unstart(tx, turnId);
  // Only where nothing came after it.
  if (session.leafId === turn.userEntryId)
    await sessions.setLeaf(tx, session.id, turn.baseLeafId ?? null, now);
}

const lostText = "This process was taken for dead, and another one has taken the turn over.";

/** Throws where another process has taken the turn over: nothing that this one still does may be stored. */
export async function checkLease(tx: Tx, turnId: string, lease: leases.Lease | undefined): Promise<void> {
  if (lease !== undefined && !(await leases.holds(tx, turnId, lease)))
    throw new AppError("conflict", lostText);
}

export const isLeaseLost = (error: unknown) => error instanceof AppError && error.message === lostText;
