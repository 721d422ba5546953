import { openStore, type Store, type StoreOptions } from "../../src/store/open.ts";
import { postgresDatabase } from "../helpers/postgres.ts";
import { withFolder } from "./with-folder.ts";

type Options = Omit<StoreOptions, "dataDir" | "databaseUrl">;

/** Runs `act` with a store on the database at `url`, as another process would have it. */
export const withStoreAt = <T>(
  url: string,
  act: (store: Store) => Promise<T>,
  options: Options = {},
): Promise<T> =>
  withFolder(async (dataDir) => {
    const store = await openStore({ ...options, dataDir, databaseUrl: url });
    try {
      return await act(store);
    } finally {
      await store.close();
    }
  });

/** The same on a database of its own. */
export async function withPostgres<T>(
  act: (store: Store, url: string) => Promise<T>,
  options: Options = {},
): Promise<T> {
  await using database = await postgresDatabase();
  return await withStoreAt(database.url, (store) => act(store, database.url), options);
}
