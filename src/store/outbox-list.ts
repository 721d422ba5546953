import * as v from "valibot";
import { every, int } from "./columns.ts";
import { type OutboxRow, StoredOutbox } from "./outbox.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import type { Tx } from "./tx.ts";

const Place = v.tuple([int, v.string()]);

/** What was given up, the newest first, or what still waits to be sent. */
export async function listOutbox(
  tx: Tx,
  { state, cursor, limit }: PageOptions & { readonly state: "dead" | "waiting" },
): Promise<Page<OutboxRow>> {
  const size = pageSize(limit);
  const [time, id] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : readCursor(Place, cursor);
  const rows =
    state === "dead"
      ? await tx`
          SELECT * FROM outbox WHERE state = 'dead' AND (created_at, id) < (${time}, ${id})
          ORDER BY created_at DESC, id DESC LIMIT ${size + 1}`
      : await tx`
          SELECT * FROM outbox WHERE ended_at IS NULL AND (created_at, id) < (${time}, ${id})
          ORDER BY created_at DESC, id DESC LIMIT ${size + 1}`;
  return toPage(every(StoredOutbox, rows), size, (last) => [last.createdAt, last.id]);
}
