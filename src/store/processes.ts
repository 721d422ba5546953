import * as v from "valibot";
import { every, int } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** A process that shares the database. Its beat goes up while it lives: no clock is compared with another's. */
export interface ProcessRow {
  readonly id: string;
  readonly beat: number;
}

const ProcessRow = v.object({ id: v.string(), beat: int });

/** Says that a process lives; the first beat registers it. */
export async function beat(tx: Tx, id: string): Promise<void> {
  await tx`
    INSERT INTO processes (id, beat) VALUES (${id}, 1)
    ON CONFLICT (id) DO UPDATE SET beat = processes.beat + 1`;
}

export async function list(tx: Tx): Promise<ProcessRow[]> {
  return every(ProcessRow, await tx`SELECT id, beat FROM processes`);
}

/** Forgets a process that has stopped, or that is known to be gone. */
export async function remove(tx: Tx, id: string): Promise<void> {
  await tx`DELETE FROM processes WHERE id = ${id}`;
}
