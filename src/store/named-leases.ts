import * as v from "valibot";
import { first, int } from "./columns.ts";
import type { Tx } from "./tx.ts";

const Beat = v.object({ beat: int });

/** How a name stands: this owner holds it, or the beat of who does. */
export type Hold = { readonly held: true } | { readonly held: false; readonly beat: number };

/**
 * Shows that an owner still holds a name that only one process may have, or takes it: when nobody has it, or when the
 * beat of who does is still the one that was `seen` long ago. No clock is compared with another's.
 */
export async function hold(tx: Tx, name: string, owner: string, seen = -1): Promise<Hold> {
  const mine = await tx`
    INSERT INTO named_leases (name, owner, beat) VALUES (${name}, ${owner}, 1)
    ON CONFLICT (name) DO UPDATE SET owner = ${owner}, beat = named_leases.beat + 1
      WHERE named_leases.owner = ${owner} OR named_leases.beat = ${seen}
    RETURNING beat`;
  if (mine.length > 0) return { held: true };
  const beat = first(Beat, await tx`SELECT beat FROM named_leases WHERE name = ${name}`)?.beat ?? -1;
  return { held: false, beat };
}

/** Gives a name back, so that the others need not wait. */
export async function release(tx: Tx, name: string, owner: string): Promise<void> {
  await tx`DELETE FROM named_leases WHERE name = ${name} AND owner = ${owner}`;
}
