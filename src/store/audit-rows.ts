import * as v from "valibot";
import { auditKinds, type AuditKind } from "./audit.ts";
import { every, first, int, maybeText } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** Where a chain stands: its last row. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first row of a chain. */
export const beginning: ChainEnd = { seq: 0, hash: "" };

export interface AuditRow extends ChainEnd {
  /** The process that wrote it. */
  readonly chain: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: AuditKind;
  readonly principal: string;
  readonly sessionId?: string | undefined;
  readonly turnId?: string | undefined;
  readonly callId?: string | undefined;
  readonly tool?: string | undefined;
  readonly outcome: string;
  readonly address?: string | undefined;
  /** JSON of an object. */
  readonly detail: string;
  /** Hash of the row before. */
  readonly previous: string;
}

export const StoredAudit = v.pipe(
  v.object({
    chain: v.string(),
    seq: int,
    at: int,
    kind: v.picklist(auditKinds),
    principal: v.string(),
    session_id: maybeText,
    turn_id: maybeText,
    call_id: maybeText,
    tool: maybeText,
    outcome: v.string(),
    address: maybeText,
    previous: v.string(),
    hash: v.string(),
    detail: v.string(),
  }),
  v.transform(({ session_id, turn_id, call_id, ...row }): AuditRow => ({
    ...row,
    sessionId: session_id,
    turnId: turn_id,
    callId: call_id,
  })),
);

/** The detail of a row as a value; as text when somebody has made it no JSON. */
export function readDetail({ detail }: Pick<AuditRow, "detail">): unknown {
  try {
    return JSON.parse(detail);
  } catch {
    return detail;
  }
}

/** SHA-256 over every field but itself, in hexadecimal. A field that is added later must not change old hashes. */
export function hashOf(row: Omit<AuditRow, "hash">): string {
  const { chain, seq, at, kind, principal, sessionId, turnId, callId, tool, outcome, address } = row;
  const who = [principal, sessionId ?? null, turnId ?? null, callId ?? null, tool ?? null];
  const fields = [chain, seq, at, kind, ...who, outcome, address ?? null, row.detail, row.previous];
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(fields)).digest("hex");
}

export async function insert(tx: Tx, row: AuditRow): Promise<void> {
  await tx`
    INSERT INTO audit (chain, seq, at, kind, principal, session_id, turn_id, call_id, tool, outcome, address,
      previous, hash, detail)
    VALUES (${row.chain}, ${row.seq}, ${row.at}, ${row.kind}, ${row.principal}, ${row.sessionId ?? null},
      ${row.turnId ?? null}, ${row.callId ?? null}, ${row.tool ?? null}, ${row.outcome}, ${row.address ?? null},
      ${row.previous}, ${row.hash}, ${row.detail})`;
}

/** The same, but only where the row before it is stored; false: it is not. */
export async function insertBehind(tx: Tx, row: AuditRow): Promise<boolean> {
  const inserted = await tx`
    INSERT INTO audit (chain, seq, at, kind, principal, session_id, turn_id, call_id, tool, outcome, address,
      previous, hash, detail)
    SELECT ${row.chain}, CAST(${row.seq} AS BIGINT), CAST(${row.at} AS BIGINT), ${row.kind}, ${row.principal},
      CAST(${row.sessionId ?? null} AS TEXT), CAST(${row.turnId ?? null} AS TEXT),
      CAST(${row.callId ?? null} AS TEXT), CAST(${row.tool ?? null} AS TEXT), ${row.outcome},
      CAST(${row.address ?? null} AS TEXT), ${row.previous}, ${row.hash}, ${row.detail}
    WHERE EXISTS (
      SELECT 1 FROM audit WHERE chain = ${row.chain} AND seq = ${row.seq - 1} AND hash = ${row.previous}
    )
    RETURNING seq`;
  return inserted.length > 0;
}

const End = v.object({ seq: int, hash: v.string() });

/** The newest row of a chain; when all were swept, what the head says of the last one. */
export async function endOf(tx: Tx, chain: string): Promise<ChainEnd> {
  const newest = await tx`SELECT seq, hash FROM audit WHERE chain = ${chain} ORDER BY seq DESC LIMIT 1`;
  if (newest.length > 0) return first(End, newest) ?? beginning;
  return first(End, await tx`SELECT seq, hash FROM audit_heads WHERE chain = ${chain}`) ?? beginning;
}

const Hash = v.object({ hash: v.string() });

/** The hash of one row. */
export async function hashAt(tx: Tx, chain: string, seq: number): Promise<string | undefined> {
  return first(Hash, await tx`SELECT hash FROM audit WHERE chain = ${chain} AND seq = ${seq}`)?.hash;
}

const Place = v.object({ chain: v.string(), seq: int, hash: v.string() });

/** The last row of the chain that began last before this one. */
export async function lastBefore(tx: Tx, chain: string) {
  const rows = await tx`
    SELECT chain, seq, hash FROM audit WHERE chain < ${chain} ORDER BY chain DESC, seq DESC LIMIT 1`;
  return first(Place, rows);
}

const Chain = v.object({ chain: v.string() });

/** The chain that comes after this one, in the order of their names; swept ones too. */
export async function nextChain(tx: Tx, after: string): Promise<string | undefined> {
  const rows = await tx`SELECT chain FROM audit WHERE chain > ${after} ORDER BY chain LIMIT 1`;
  const heads = await tx`SELECT chain FROM audit_heads WHERE chain > ${after} ORDER BY chain LIMIT 1`;
  return every(Chain, [...rows, ...heads])
    .map(({ chain }) => chain)
    .sort()[0];
}

/** Whether the oldest row of a chain is from before this time. */
export async function hasOld(tx: Tx, chain: string, before: number): Promise<boolean> {
  const rows = await tx`SELECT at FROM audit WHERE chain = ${chain} ORDER BY seq LIMIT 1`;
  const oldest = first(v.object({ at: int }), rows);
  return oldest !== undefined && oldest.at < before;
}

/** The rows of a chain behind number `seq`, oldest first. */
export async function rowsAfter(tx: Tx, chain: string, seq: number, limit: number): Promise<AuditRow[]> {
  const rows = await tx`
    SELECT * FROM audit WHERE chain = ${chain} AND seq > ${seq} ORDER BY seq LIMIT ${limit}`;
  return every(StoredAudit, rows);
}
