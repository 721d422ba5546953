import { AppError } from "../errors.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import * as leases from "../store/turn-leases.ts";
import type { Tx } from "../store/tx.ts";
import * as rows from "../store/turns.ts";
import { turnsLog as log } from "../telemetry/log.ts";

export interface TakingOver {
  readonly store: Store;
  /** This process. */
  readonly owner: string;
  /** True of a turn that runs here, or is being accepted. */
  readonly isHere: (turnId: string) => boolean;
  readonly start: (row: rows.TurnRow, session: sessions.Session) => void;
}

/**
 * Takes over, in order of arrival, the turns that nobody runs: those of processes that are gone, and those that this
 * one owns and did not begin. A commit can be stored though its write threw, when the connection breaks in it; so it can
 * be with this taking over, which then is done again.
 */
export async function takeOver(living: ReadonlySet<string>, parts: TakingOver): Promise<void> {
  const { store, owner, isHere, start } = parts;
  const { owners, own } = await store.read(async (tx) => ({
    owners: await leases.owners(tx),
    own: await leases.unfinishedOf(tx, owner),
  }));
  if (own.every(isHere) && owners.every((other) => other === owner || living.has(other))) return;
  const isOrphan = (row: rows.TurnRow) => (row.owner === owner ? !isHere(row.id) : !living.has(row.owner));
  const left = await store.read((tx) => rows.unfinished(tx));
  let started = 0;
  for (const row of left.filter(isOrphan)) {
    const found = await store.write(async (tx) => {
      const taken = await leases.takeOver(tx, row.id, row, owner);
      return taken && { taken, session: await sessions.find(tx, taken.sessionId) };
    });
    if (found?.session === undefined) continue;
    start(found.taken, found.session);
    started += 1;
  }
  if (started > 0) log.info("going on with turns that nobody runs", { turns: started });
}

/**
 * What accepting a turn wrote although the write threw `fault`: its sender need not say it again. Throws `fault` when
 * nothing is seen; what is stored later `takeOver` finds.
 */
export async function findStored(store: Store, turnId: string, fault: unknown) {
  if (!(fault instanceof AppError) || fault.code !== "unavailable") throw fault;
  const find = async (tx: Tx) => {
    const row = await rows.find(tx, turnId);
    const session = row && (await sessions.find(tx, row.sessionId));
    return session && { row, session: { ...session, lastEvent: row.firstEvent } };
  };
  const found = await store.read(find).catch(() => undefined);
  if (found === undefined) throw fault;
  return { ...found, begun: found.row.startedAt !== undefined, seen: undefined };
}
