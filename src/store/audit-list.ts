import * as v from "valibot";
import type { AuditKind } from "./audit.ts";
import { type AuditRow, StoredAudit } from "./audit-rows.ts";
import { every, first, int } from "./columns.ts";
import { type Page, type PageOptions, pageSize, readCursor, toCursor, toPage } from "./page.ts";
import type { Tx } from "./tx.ts";

export interface AuditQuery extends PageOptions {
  readonly kind?: AuditKind | undefined;
  readonly tool?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly principal?: string | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
}

/** Rows that one statement looks at, and how often a page may look on: SQLite answers nobody else meanwhile. */
const windowRows = 5000;
const mostWindows = 20;

const Place = v.object({ at: int, chain: v.string(), seq: int });
type Place = v.InferOutput<typeof Place>;
const Key = v.tuple([v.number(), v.string(), v.number()]);
const keyOf = ({ at, chain, seq }: Place) => [at, chain, seq] as const;

const beyondAll: Place = { at: Number.MAX_SAFE_INTEGER, chain: "~", seq: 0 };

/** The rows of the window before `at` that are asked for, newest first: by time, or by what amounts to it in SQLite. */
function find(tx: Tx, at: Place, query: AuditQuery, limit: number) {
  const { kind = "", tool = "", sessionId = "", principal = "", since = 0 } = query;
  return tx.dialect.name === "sqlite"
    ? tx`
        SELECT * FROM (
          SELECT * FROM audit WHERE (chain, seq) < (${at.chain}, ${at.seq})
          ORDER BY chain DESC, seq DESC LIMIT ${windowRows}
        ) AS recent
        WHERE at >= ${since} AND (${kind} = '' OR kind = ${kind}) AND (${tool} = '' OR tool = ${tool})
          AND (${sessionId} = '' OR session_id = ${sessionId}) AND (${principal} = '' OR principal = ${principal})
        ORDER BY chain DESC, seq DESC LIMIT ${limit}`
    : tx`
        SELECT * FROM (
          SELECT * FROM audit WHERE (at, chain, seq) < (${at.at}, ${at.chain}, ${at.seq})
          ORDER BY at DESC, chain DESC, seq DESC LIMIT ${windowRows}
        ) AS recent
        WHERE at >= ${since} AND (${kind} = '' OR kind = ${kind}) AND (${tool} = '' OR tool = ${tool})
          AND (${sessionId} = '' OR session_id = ${sessionId}) AND (${principal} = '' OR principal = ${principal})
        ORDER BY at DESC, chain DESC, seq DESC LIMIT ${limit}`;
}

/** The last row of the window before `at`; undefined when it is the last window. */
async function windowEnd(tx: Tx, at: Place): Promise<Place | undefined> {
  const rows =
    tx.dialect.name === "sqlite"
      ? await tx`
          SELECT at, chain, seq FROM audit WHERE (chain, seq) < (${at.chain}, ${at.seq})
          ORDER BY chain DESC, seq DESC LIMIT 1 OFFSET ${windowRows - 1}`
      : await tx`
          SELECT at, chain, seq FROM audit WHERE (at, chain, seq) < (${at.at}, ${at.chain}, ${at.seq})
          ORDER BY at DESC, chain DESC, seq DESC LIMIT 1 OFFSET ${windowRows - 1}`;
  return first(Place, rows);
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return beyondAll;
  const [at, chain, seq] = readCursor(Key, cursor);
  return { at, chain, seq };
}

/** What was recorded, newest first. A page may be short, or empty, and yet have a `next`: then much was looked at. */
export async function list(
  read: <T>(fn: (tx: Tx) => Promise<T>) => Promise<T>,
  query: AuditQuery,
): Promise<Page<AuditRow>> {
  const size = pageSize(query.limit);
  const found: AuditRow[] = [];
  let at = placeOf(query.cursor);
  for (let window = 1; ; window++) {
    const from = at;
    found.push(...every(StoredAudit, await read((tx) => find(tx, from, query, size + 1 - found.length))));
    if (found.length > size) return toPage(found, size, keyOf);
    const end = await read((tx) => windowEnd(tx, from));
    if (end === undefined || end.at < (query.since ?? 0)) return { items: found };
    if (window === mostWindows) return { items: found, next: toCursor(keyOf(end)) };
    at = end;
    // Others may have waited.
    await Bun.sleep(0);
  }
}
