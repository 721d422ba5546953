import { expect, test } from "bun:test";
import { migrations } from "../../../src/store/migrations.ts";
import * as notes from "../../../src/store/notes.ts";
import { openStore } from "../../../src/store/open.ts";
import { administrate, postgresDatabase, sharedCluster } from "../../helpers/postgres.ts";
import { withFolder } from "../with-folder.ts";
import { withPostgres, withStoreAt } from "../with-postgres.ts";

const colours = { sql: "CREATE TABLE colours (name TEXT NOT NULL); INSERT INTO colours VALUES ('red')" };
const note = { key: "k", content: "old and precious", now: 1 };

test("migratePostgres lets several processes start at once on an empty database", async () => {
  await using database = await postgresDatabase();
  const starts = Array.from({ length: 6 }, (_, index) =>
    withStoreAt(database.url, (store) =>
      store.write((tx) => notes.put(tx, "alice", { ...note, key: `k${index}` })),
    ),
  );
  await Promise.all(starts);
  await withStoreAt(database.url, async (store) => {
    expect((await store.read((tx) => notes.list(tx, "alice", { limit: 10 }))).items).toHaveLength(6);
    expect(await store.read((tx) => tx`SELECT version FROM schema_version`)).toEqual([
      { version: `${migrations.length}` },
    ]);
  });
});

test("migratePostgres brings an old database forward once and keeps what it holds", async () => {
  await withPostgres(async (old, url) => {
    await old.write((tx) => notes.put(tx, "alice", note));
    const newer = { migrations: [...migrations, colours] };
    const read = () =>
      withStoreAt(
        url,
        async (store) => {
          expect(await store.read((tx) => notes.search(tx, "alice", "precious", { limit: 5 }))).toHaveLength(
            1,
          );
          return store.read((tx) => tx`SELECT name FROM colours`);
        },
        newer,
      );
    const found = await Promise.all([read(), read(), read()]);
    for (const rows of found) expect(rows).toEqual([{ name: "red" }]);
    await withFolder(async (dataDir) => {
      const opening = openStore({ dataDir, databaseUrl: url });
      await expect(opening).rejects.toThrow(`has version ${migrations.length + 1}`);
    });
  });
});

test("migratePostgres changes nothing when one step fails", async () => {
  await withPostgres(async (store, url) => {
    const broken = { sql: "CREATE TABLE shapes (name TEXT); INSERT INTO nowhere VALUES (1)" };
    await withFolder(async (dataDir) => {
      const opening = openStore({ dataDir, databaseUrl: url, migrations: [...migrations, colours, broken] });
      await expect(opening).rejects.toMatchObject({ code: "internal" });
    });
    const tables = await store.read(
      (tx) => tx`SELECT tablename FROM pg_tables WHERE tablename IN ('colours', 'shapes')`,
    );
    expect(tables).toEqual([]);
    await withStoreAt(url, (again) => again.check());
  });
});

test("migratePostgres makes texts sort by their bytes in a database of any language", async () => {
  await using database = await postgresDatabase();
  const cluster = await sharedCluster();
  const name = new URL(database.url).pathname.slice(1);
  await administrate(cluster, `DROP DATABASE ${name}`);
  await administrate(
    cluster,
    `CREATE DATABASE ${name} LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8' TEMPLATE template0`,
  );
  await withStoreAt(database.url, async (store) => {
    const keys = ["b", "A", "a", "B", "_", "é", "z", "Z"];
    await store.write(async (tx) => {
      for (const key of keys) await notes.put(tx, "alice", { ...note, key });
    });
    const listed = await store.read((tx) => notes.list(tx, "alice", { limit: 20 }));
    expect(listed.items.map(({ key }) => key)).toEqual(["A", "B", "Z", "_", "a", "b", "z", "é"]);
    expect(await store.read((tx) => tx`SELECT 'a' < 'B' COLLATE "default" AS icu`)).toEqual([{ icu: true }]);
  });
});

test("openStore says that its user may make no tables", async () => {
  await using database = await postgresDatabase();
  const cluster = await sharedCluster();
  const name = new URL(database.url).pathname.slice(1);
  await administrate(cluster, "CREATE ROLE guest LOGIN PASSWORD 'guest password'");
  await withFolder(async (dataDir) => {
    const databaseUrl = cluster.url(name, { user: "guest", password: "guest password" });
    await expect(openStore({ dataDir, databaseUrl })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/database "test_.*lacks the right/),
    });
  });
});
