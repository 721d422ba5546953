import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, type Store, type StoreOptions } from "../../src/store/open.ts";

/** Runs `act` with a folder of its own, which is removed afterwards. */
export async function withFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-store-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same with a store opened in it, which is closed afterwards. */
export const withStore = <T>(
  act: (store: Store, folder: string) => Promise<T>,
  options: Omit<StoreOptions, "dataDir"> = {},
): Promise<T> =>
  withFolder(async (folder) => {
    const store = await openStore({ ...options, dataDir: folder });
    try {
      return await act(store, folder);
    } finally {
      await store.close();
    }
  });
