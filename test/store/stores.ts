import { test } from "bun:test";
import { join } from "node:path";
import { memoryStore, openStore, type Store } from "../../src/store/open.ts";
import { administrate, sharedCluster } from "../helpers/postgres.ts";

const database = "contract";
const key = Symbol.for("openclaw.test.store");
const shared: typeof globalThis & { [key]?: Promise<Store> } = globalThis;

/** One store on PostgreSQL for all tests of this process, as opening one takes longer than emptying it. */
async function openShared(): Promise<Store> {
  const cluster = await sharedCluster();
  await administrate(cluster, `CREATE DATABASE ${database}`);
  return openStore({ dataDir: join(cluster.folder, "store"), databaseUrl: cluster.url(database) });
}

const emptyAll = `
  DO $$ BEGIN EXECUTE (
    SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'schema_version'
  ); END $$`;

async function emptyPostgres(): Promise<Store> {
  const store = await (shared[key] ??= openShared());
  await administrate(await sharedCluster(), emptyAll, database);
  return store;
}

/** A test of the contract: it is run on every database, with an empty store that it need not close. */
export function forEachStore(name: string, act: (store: Store) => Promise<unknown>) {
  test(`${name} (SQLite)`, async () => {
    const store = await memoryStore();
    try {
      await act(store);
    } finally {
      await store.close();
    }
  });
  test(`${name} (PostgreSQL)`, async () => {
    const store = await emptyPostgres();
    await act({ ...store, close: async () => {} });
  });
}
