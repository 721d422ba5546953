import * as leases from "../store/named-leases.ts";
import type { Store } from "../store/open.ts";

export interface OnlyOne {
  /** Whether this process is the one; to be asked again before each round of what it does. */
  isMine(): Promise<boolean>;
  /** Lets another one be it at once. */
  giveUp(): Promise<void>;
}

/** Of the processes that share a database one does what `name` says; another takes over when it was silent for `leaseMs`. */
export async function createOnlyOne(
  store: Pick<Store, "read" | "write">,
  name: string,
  { leaseMs, now = () => performance.now() }: { leaseMs: number; now?: () => number },
): Promise<OnlyOne> {
  // SQLite belongs to one process: there is nobody to wait for, not even after a crash.
  if ((await store.read(async (tx) => tx.dialect.name)) === "sqlite")
    return { isMine: async () => true, giveUp: async () => {} };
  const owner = Bun.randomUUIDv7();
  let seen: { readonly beat: number; readonly at: number } | undefined;
  return {
    async isMine() {
      const silent = seen !== undefined && now() - seen.at >= leaseMs ? seen.beat : undefined;
      const held = await store.write((tx) => leases.hold(tx, name, owner, silent));
      if (held.held) seen = undefined;
      else if (held.beat !== seen?.beat) seen = { beat: held.beat, at: now() };
      return held.held;
    },
    giveUp: () => store.write((tx) => leases.release(tx, name, owner)),
  };
}
