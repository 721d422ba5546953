import * as v from "valibot";
import { first } from "./columns.ts";
import type { Tx } from "./tx.ts";

const Preview = v.object({ message_id: v.string() });

/** Keeps which message shows a growing answer, so that its end replaces it also after a restart. */
export async function keep(tx: Tx, turnId: string, messageId: string, now: number): Promise<void> {
  await tx`
    INSERT INTO previews (turn_id, message_id, created_at) VALUES (${turnId}, ${messageId}, ${now})
    ON CONFLICT (turn_id) DO NOTHING`;
}

/** The provider's id of the message that shows the answer of a turn so far. */
export async function find(tx: Tx, turnId: string): Promise<string | undefined> {
  const rows = await tx`SELECT message_id FROM previews WHERE turn_id = ${turnId}`;
  return first(Preview, rows)?.message_id;
}
