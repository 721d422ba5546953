import * as v from "valibot";
import { first, int } from "./columns.ts";
import type { Tx } from "./tx.ts";

/** What is left of the swept rows of a chain: its first `seq` rows were whole, and the last of them had this hash. */
export interface AuditHead {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly sweptAt: number;
  /** HMAC-SHA-256 over the rest, in hexadecimal. */
  readonly signature: string;
}

const StoredHead = v.pipe(
  v.object({ chain: v.string(), seq: int, hash: v.string(), swept_at: int, signature: v.string() }),
  v.transform(({ swept_at: sweptAt, ...head }): AuditHead => ({ ...head, sweptAt })),
);

export async function findHead(tx: Tx, chain: string): Promise<AuditHead | undefined> {
  return first(StoredHead, await tx`SELECT * FROM audit_heads WHERE chain = ${chain}`);
}

/** Moves a head forwards; false when another process has swept so far already. */
export async function moveHead(tx: Tx, head: AuditHead): Promise<boolean> {
  const moved = await tx`
    INSERT INTO audit_heads (chain, seq, hash, swept_at, signature)
    VALUES (${head.chain}, ${head.seq}, ${head.hash}, ${head.sweptAt}, ${head.signature})
    ON CONFLICT (chain) DO UPDATE
      SET seq = excluded.seq, hash = excluded.hash, swept_at = excluded.swept_at, signature = excluded.signature
      WHERE audit_heads.seq < excluded.seq
    RETURNING seq`;
  return moved.length > 0;
}

export function signatureOf(
  { chain, seq, hash, sweptAt }: Omit<AuditHead, "signature">,
  key: string,
): string {
  const said = JSON.stringify(["openclaw audit head", chain, seq, hash, sweptAt]);
  return new Bun.CryptoHasher("sha256", key).update(said).digest("hex");
}

export function isSigned(head: AuditHead, key: string): boolean {
  const expected = Buffer.from(signatureOf(head, key));
  const seen = Buffer.from(head.signature);
  return seen.length === expected.length && crypto.timingSafeEqual(seen, expected);
}
