import * as v from "valibot";
import { first, int, maybeText } from "./columns.ts";
import type { Tx } from "./tx.ts";

const Counted = v.object({ count: int });
const Last = v.object({ receipt: maybeText });

/** How many messages a provider took since then and could not deliver, and what it said of the last. */
export async function countFailedReceipts(
  tx: Tx,
  channel: string,
  since: number,
): Promise<{ count: number; last: string }> {
  const counted = first(
    Counted,
    await tx`
      SELECT count(*) AS count FROM outbox
      WHERE channel = ${channel} AND ended_at >= ${since} AND (receipt LIKE 'undelivered%' OR receipt LIKE 'failed%')`,
  );
  const last = first(
    Last,
    await tx`
      SELECT receipt FROM outbox
      WHERE channel = ${channel} AND ended_at >= ${since} AND (receipt LIKE 'undelivered%' OR receipt LIKE 'failed%')
      ORDER BY ended_at DESC LIMIT 1`,
  );
  return { count: counted?.count ?? 0, last: last?.receipt ?? "" };
}
