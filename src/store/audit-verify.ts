import * as v from "valibot";
import { isSigned, findHead } from "./audit-heads.ts";
import {
  type AuditRow,
  beginning,
  type ChainEnd,
  hashAt,
  hashOf,
  nextChain,
  rowsAfter,
} from "./audit-rows.ts";
import type { Store } from "./open.ts";

/** The first thing that is wrong with a chain. */
export interface Broken {
  readonly chain: string;
  readonly seq: number;
  /** A sentence. */
  readonly why: string;
}

export interface AuditReport {
  readonly chains: number;
  readonly rows: number;
  /** Rows that had their time, which signed heads stand for. */
  readonly swept: number;
  readonly broken?: Broken;
}

const pageRows = 500;
/** A sweep that comes in between moves a head: then the chain is read anew. */
const mostAttempts = 5;

/** What is wrong with a row behind `before`; undefined when nothing is. */
export function faultOf(row: AuditRow, before: ChainEnd): string | undefined {
  if (row.seq <= before.seq) return "It was swept already, and has come back.";
  if (row.seq > before.seq + 1)
    return `${row.seq - before.seq - 1} rows before it are missing, from ${before.seq + 1} on.`;
  if (row.previous !== before.hash) return "It does not follow the row before it: one of both was exchanged.";
  return hashOf(row) === row.hash ? undefined : "It was changed after it was written.";
}

const Start = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ follows: v.object({ chain: v.string(), seq: v.number(), hash: v.string() }) }),
);

/** The row of another chain that a process saw when it started; what was asked of it at once may stand before. */
const followedBy = (row: AuditRow) => {
  const read = row.kind === "server" ? v.safeParse(Start, row.detail) : undefined;
  return read?.success === true ? read.output.follows : undefined;
};

type Chain = { readonly rows: number; readonly swept: number; readonly broken?: Broken };

/**
 * Reads every chain and says where the first fault is. An edit, a removal or an exchange in the middle is found, and
 * one at the end of a chain once another process has started. Who may write the database and knows all this can
 * still write a chain anew from some row to its end; only what heads have signed needs the key as well.
 */
export async function verifyAudit(
  { read }: Pick<Store, "read">,
  key: string | undefined,
  signal?: AbortSignal,
): Promise<AuditReport> {
  /** What chains must have, as others have seen them. */
  const seen: { readonly chain: string; readonly seq: number; readonly hash: string }[] = [];

  async function readChain(chain: string): Promise<Chain> {
    const head = await read((tx) => findHead(tx, chain));
    const swept = head?.seq ?? 0;
    if (head !== undefined && (key === undefined || !isSigned(head, key))) {
      const why =
        key === undefined
          ? "Its head is signed, and the key is not here: put audit.key back, or set OPENCLAW_AUDIT_KEY."
          : "Its head is not signed with this key: it was forged, or another server swept it with a key of its own (OPENCLAW_AUDIT_KEY).";
      return { rows: 0, swept, broken: { chain, seq: swept, why } };
    }
    let before: ChainEnd = head ?? beginning;
    let rows = 0;
    for (let after = 0; ;) {
      signal?.throwIfAborted();
      const page = await read((tx) => rowsAfter(tx, chain, after, pageRows));
      for (const row of page) {
        const why = faultOf(row, before);
        if (why !== undefined) return { rows, swept, broken: { chain, seq: row.seq, why } };
        const follows = followedBy(row);
        if (follows !== undefined) seen.push(follows);
        rows += 1;
        before = row;
        after = row.seq;
      }
      if (page.length < pageRows) return { rows, swept };
    }
  }

  async function checkChain(chain: string): Promise<Chain> {
    for (let attempt = 1; ; attempt++) {
      const found = await readChain(chain);
      if (found.broken === undefined || attempt === mostAttempts) return found;
      const head = await read((tx) => findHead(tx, chain));
      if ((head?.seq ?? 0) === found.swept) return found;
    }
  }

  /** A row that another process has seen and that is gone. */
  async function findLost(): Promise<Broken | undefined> {
    for (const { chain, seq, hash } of seen) {
      const now = await read((tx) => hashAt(tx, chain, seq));
      if (now === hash) continue;
      const head = await read((tx) => findHead(tx, chain));
      if (now === undefined && head !== undefined && head.seq >= seq) continue;
      const why = "A process that started later has seen it as the newest, and it is missing or another now.";
      return { chain, seq, why };
    }
    return undefined;
  }

  let chains = 0;
  let rows = 0;
  let swept = 0;
  let broken: Broken | undefined;
  for (let chain = await read((tx) => nextChain(tx, "")); chain !== undefined;) {
    const found = await checkChain(chain);
    chains += 1;
    rows += found.rows;
    swept += found.swept;
    broken ??= found.broken;
    const after = chain;
    chain = await read((tx) => nextChain(tx, after));
  }
  broken ??= await findLost();
  return { chains, rows, swept, ...(broken !== undefined && { broken }) };
}
