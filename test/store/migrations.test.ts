import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { migrations } from "../../src/store/migrations.ts";
import * as notes from "../../src/store/notes.ts";
import { openStore } from "../../src/store/open.ts";
import { withFolder } from "./with-folder.ts";

const now = 1;
const colours = { sql: "CREATE TABLE colours (name TEXT NOT NULL); INSERT INTO colours VALUES ('red')" };
const version = migrations.length + 1;

async function withOldDatabase(act: (folder: string) => Promise<void>) {
  await withFolder(async (folder) => {
    const store = await openStore({ dataDir: folder });
    await store.write((tx) => notes.put(tx, "alice", { key: "k", content: "old and precious", now }));
    await store.close();
    await act(folder);
  });
}

test("migrate brings an old database forward and keeps what it holds", async () => {
  await withOldDatabase(async (folder) => {
    const store = await openStore({ dataDir: folder, migrations: [...migrations, colours] });
    expect(await store.read((tx) => tx`SELECT name FROM colours`)).toEqual([{ name: "red" }]);
    expect(await store.read((tx) => notes.search(tx, "alice", "precious", { limit: 5 }))).toHaveLength(1);
    await store.close();
    const again = await openStore({ dataDir: folder, migrations: [...migrations, colours] });
    expect(await again.read((tx) => tx`SELECT name FROM colours`)).toHaveLength(1);
    await again.close();
  });
});

test("migrate leaves a private copy of what was there, which can be opened and searched", async () => {
  await withOldDatabase(async (folder) => {
    const copy = join(folder, `openclaw.db.before-${version}`);
    // What an earlier attempt left is replaced.
    await writeFile(copy, "half");
    await writeFile(`${copy}.part`, "half");
    await (await openStore({ dataDir: folder, migrations: [...migrations, colours] })).close();
    expect((await readdir(folder)).sort()).toEqual(["lock", "openclaw.db", `openclaw.db.before-${version}`]);
    expect((await stat(copy)).mode & 0o777).toBe(0o600);

    const bytes = await Bun.file(copy).arrayBuffer();
    await withFolder(async (other) => {
      await writeFile(join(other, "openclaw.db"), new Uint8Array(bytes));
      const store = await openStore({ dataDir: other });
      expect(await store.read((tx) => notes.search(tx, "alice", "precious", { limit: 5 }))).toHaveLength(1);
      await store.close();
    });
  });
});

test("migrate makes no copy of a database that is new, or up to date", async () => {
  await withOldDatabase(async (folder) => {
    await (await openStore({ dataDir: folder })).close();
    expect((await readdir(folder)).sort()).toEqual(["lock", "openclaw.db"]);
  });
});

test("migrate changes nothing when one step fails", async () => {
  await withOldDatabase(async (folder) => {
    const broken = { sql: "CREATE TABLE shapes (name TEXT); INSERT INTO nowhere VALUES (1)" };
    await expect(
      openStore({ dataDir: folder, migrations: [...migrations, colours, broken] }),
    ).rejects.toMatchObject({
      code: "internal",
    });
    const store = await openStore({ dataDir: folder });
    expect(await store.read((tx) => notes.get(tx, "alice", "k"))).toBeDefined();
    const names = await store.read(
      (tx) => tx`SELECT name FROM sqlite_master WHERE name IN ('colours', 'shapes')`,
    );
    expect(names).toEqual([]);
    await store.close();
  });
});

test("migrate refuses a database of a newer program and leaves it as it is", async () => {
  await withOldDatabase(async (folder) => {
    await (await openStore({ dataDir: folder, migrations: [...migrations, colours] })).close();
    await expect(openStore({ dataDir: folder })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(`has version ${version}`),
    });
    const database = new Database(join(folder, "openclaw.db"), { readonly: true });
    expect(database.query("SELECT version FROM schema_version").all()).toEqual([{ version }]);
    database.close();
  });
});
