import { AppError } from "../../src/errors.ts";
import type { Store } from "../../src/store/open.ts";
import type { SqlValue, Tx } from "../../src/store/tx.ts";

const lostText = "The store failed (ERR_POSTGRES_CONNECTION_CLOSED).";

/**
 * A store that loses the answer to a COMMIT, as when the connection breaks at that moment: what was written is stored,
 * and yet the write throws.
 */
export function losesCommits(store: Store) {
  const losing: { write?: RegExp | undefined; read?: RegExp | undefined } = {};
  let lost = 0;

  /** A `tx` that says whether one of its statements was looked for. */
  function noting(tx: Tx, what: RegExp | undefined, found: () => void): Tx {
    const run = (parts: TemplateStringsArray, ...values: SqlValue[]) => {
      if (what?.test(parts.join("?")) === true) found();
      return tx(parts, ...values);
    };
    return Object.assign(run, { dialect: tx.dialect });
  }

  async function through<T>(kind: "write" | "read", act: (tx: Tx) => Promise<T>): Promise<T> {
    let isLost = false;
    const what = losing[kind];
    const value = await store[kind]((tx) => act(noting(tx, what, () => (isLost = true))));
    if (!isLost) return value;
    losing[kind] = undefined;
    lost += 1;
    throw new AppError("unavailable", lostText);
  }

  return {
    store: {
      ...store,
      write: (act) => through("write", act),
      read: (act) => through("read", act),
    } satisfies Store,
    /** Loses the answer to the next write, and to the next read, with such a statement. */
    lose(write: RegExp, read?: RegExp) {
      losing.write = write;
      losing.read = read;
    },
    /** How many were lost. */
    lost: () => lost,
  };
}
