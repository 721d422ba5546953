import { every, first } from "./columns.ts";
import type { Tx } from "./tx.ts";
import { Id, StoredTurn, type TurnRow } from "./turns.ts";

/** What a process shows to write for a turn: its own id, and the number that a take-over would have raised. */
export interface Lease {
  readonly owner: string;
  readonly fence: number;
}

/** The processes that have turns which have not ended. */
export async function owners(tx: Tx): Promise<string[]> {
  const rows = await tx`SELECT DISTINCT owner AS id FROM turns WHERE ended_at IS NULL`;
  return every(Id, rows).map((row) => row.id);
}

/** Whether a process may still write for a turn. The row stays locked until the commit, so no take-over comes between. */
export async function holds(tx: Tx, id: string, { owner, fence }: Lease): Promise<boolean> {
  const held = await tx`
    UPDATE turns SET fence = ${fence}
    WHERE id = ${id} AND owner = ${owner} AND fence = ${fence} AND ended_at IS NULL RETURNING id`;
  return held.length > 0;
}

/** Takes a turn over from a process that is gone; undefined when another one was faster. */
export async function takeOver(tx: Tx, id: string, from: Lease, owner: string): Promise<TurnRow | undefined> {
  const fence = from.fence + 1;
  return first(
    StoredTurn,
    await tx`
      UPDATE turns SET owner = ${owner}, fence = ${fence}
      WHERE id = ${id} AND owner = ${from.owner} AND fence = ${from.fence} AND ended_at IS NULL RETURNING *`,
  );
}

/** Asks for the end of a turn, whichever process runs it; false when it has ended or there is none. */
export async function askCancel(tx: Tx, id: string): Promise<boolean> {
  const asked =
    await tx`UPDATE turns SET cancel_asked = 1 WHERE id = ${id} AND ended_at IS NULL RETURNING id`;
  return asked.length > 0;
}

/** The turns of a process that have not ended. */
export async function unfinishedOf(tx: Tx, owner: string): Promise<string[]> {
  const rows = await tx`SELECT id FROM turns WHERE owner = ${owner} AND ended_at IS NULL`;
  return every(Id, rows).map((row) => row.id);
}

/** The turns of a process that somebody wants to end. */
export async function cancelAsked(tx: Tx, owner: string): Promise<string[]> {
  const rows =
    await tx`SELECT id FROM turns WHERE owner = ${owner} AND cancel_asked = 1 AND ended_at IS NULL`;
  return every(Id, rows).map((row) => row.id);
}
