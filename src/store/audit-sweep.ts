import { AppError } from "../errors.ts";
import { findHead, isSigned, moveHead, signatureOf } from "./audit-heads.ts";
import { beginning, type ChainEnd, rowsAfter } from "./audit-rows.ts";
import { faultOf } from "./audit-verify.ts";
import type { Tx } from "./tx.ts";

export interface AuditSweep {
  /** Rows from before this time go, in milliseconds since 1970. */
  readonly before: number;
  readonly most: number;
  readonly now: number;
  readonly key: string;
}

const refused = (chain: string, why: string) =>
  new AppError("conflict", `The audit chain ${chain} is not swept: ${why}`);

/**
 * Deletes the oldest rows of a chain and signs for what they were; returns how many. Throws `conflict` where the chain
 * is broken, or its head was signed with another key: a new signature would hide it.
 */
export async function sweepChain(
  tx: Tx,
  chain: string,
  { before, most, now, key }: AuditSweep,
): Promise<number> {
  const head = await findHead(tx, chain);
  if (head !== undefined && !isSigned(head, key))
    throw refused(chain, "its head was signed with another key (OPENCLAW_AUDIT_KEY), or by somebody else.");
  let last: ChainEnd = head ?? beginning;
  let count = 0;
  for (const row of await rowsAfter(tx, chain, 0, most)) {
    if (row.at >= before) break;
    const why = faultOf(row, last);
    if (why !== undefined) throw refused(chain, `row ${row.seq} is not as it was written. ${why}`);
    last = row;
    count += 1;
  }
  if (count === 0) return 0;
  const next = { chain, seq: last.seq, hash: last.hash, sweptAt: now };
  if (!(await moveHead(tx, { ...next, signature: signatureOf(next, key) }))) return 0;
  await tx`DELETE FROM audit WHERE chain = ${chain} AND seq <= ${last.seq}`;
  return count;
}
