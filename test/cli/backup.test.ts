import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { appendFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureAuditKey, readAuditKey } from "../../src/store/audit-key.ts";
import { migrations } from "../../src/store/migrations.ts";
import * as notes from "../../src/store/notes.ts";
import { openStore } from "../../src/store/open.ts";
import { runExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";

const newest = migrations.length;
const openclaw = (args: string[], dataDir: string) => runExecutable(args, { OPENCLAW_DATA_DIR: dataDir });

async function ask(url: string, session: string, text: string) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-openclaw-session-id": session },
    body: JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: text }] }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
}

const sessionsOf = async (url: string) => (await fetch(`${url}/api/sessions`)).text();

/** A data folder with a note in it, and nobody who uses it. */
async function fill(dataDir: string, content: string) {
  const store = await openStore({ dataDir });
  await store.write((tx) => notes.put(tx, "alice", { key: "k", content, now: 1 }));
  await store.close();
}

test("openclaw backup copies what a running server has committed, and restore puts it back with the audit key", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const file = join(folder.path, "copy.db");
  let server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
  await ask(server.url, "before", "hello");
  const key = ensureAuditKey(dataDir);
  const made = await openclaw(["backup", file], dataDir);
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: "" });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await ask(server.url, "after", "hello");

  const again = await openclaw(["backup", file], dataDir);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("--force") });
  expect((await openclaw(["backup", file, "--force"], dataDir)).code).toBe(0);
  for (const name of ["openclaw.db", "openclaw.db-wal", "audit.key", "new"]) {
    const over = await openclaw(["backup", join(dataDir, name), "--force"], dataDir);
    expect(over).toMatchObject({ code: 1, stderr: expect.stringContaining("is the data folder") });
  }
  expect(await openclaw(["backup", join(folder.path, "no/where")], dataDir)).toMatchObject({ code: 1 });
  expect(await readdir(folder.path)).toEqual(expect.arrayContaining(["copy.db", "data"]));
  const busy = await openclaw(["restore", file], dataDir);
  expect(busy).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${server.pid}`) });
  await ask(server.url, "last", "hello");
  await server.stop();
  await server[Symbol.asyncDispose]();

  const elsewhere = join(folder.path, "elsewhere");
  expect((await openclaw(["restore", file], elsewhere)).code).toBe(0);
  expect(readAuditKey(elsewhere)).toBe(key);
  expect((await openclaw(["audit", "verify"], elsewhere)).code).toBe(0);
  const restored = await openclaw(["restore", file], dataDir);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("before-restore-") });
  server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
  const sessions = await sessionsOf(server.url);
  expect(sessions).toContain('"after"');
  expect(sessions).not.toContain('"last"');
  await server[Symbol.asyncDispose]();
  using database = new Database(join(dataDir, "openclaw.db"), { readonly: true });
  expect(database.query("SELECT name FROM sqlite_master WHERE name = 'openclaw_backup'").all()).toEqual([]);
  expect(await Bun.file(join(dataDir, "openclaw.db")).text()).not.toContain(key);
});

test("openclaw restore changes nothing for a file that is damaged, newer, in use or none of ours", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  await fill(dataDir, "precious");
  const good = join(folder.path, "good.db");
  expect((await openclaw(["backup", good], dataDir)).code).toBe(0);
  const before = await Bun.file(join(dataDir, "openclaw.db")).bytes();
  const bytes = await Bun.file(good).bytes();

  const cut = join(folder.path, "cut.db");
  await writeFile(cut, bytes.subarray(0, bytes.length / 2));
  const torn = join(folder.path, "torn.db");
  await writeFile(torn, tear(bytes));
  const text = join(folder.path, "text.db");
  await writeFile(text, "no database at all");
  const empty = join(folder.path, "empty.db");
  await writeFile(empty, "");
  const newer = join(folder.path, "newer.db");
  await writeFile(newer, bytes);
  using database = new Database(newer);
  database.run("UPDATE schema_version SET version = version + 1");
  database.close();
  const used = join(folder.path, "used.db");
  await writeFile(used, bytes);
  await appendFile(`${used}-wal`, "x");

  const refused: readonly (readonly [string, string])[] = [
    [cut, "damaged"],
    [torn, "damaged"],
    [text, "no database"],
    [empty, "no database"],
    [newer, `version ${newest + 1}`],
    [used, "in use"],
    [join(folder.path, "missing"), "no file"],
  ];
  for (const [file, why] of refused) {
    const { code, stderr } = await openclaw(["restore", file], dataDir);
    expect({ file, code, stderr }).toEqual({ file, code: 1, stderr: expect.stringContaining(why) });
  }
  expect(await Bun.file(join(dataDir, "openclaw.db")).bytes()).toEqual(before);
  // Whoever reads beside a server leaves these two.
  const names = (await readdir(dataDir)).filter((name) => !/-(?:shm|wal)$/.test(name));
  expect(names.sort()).toEqual(["lock", "openclaw.db"]);
});

/** Overwrites a page in the middle. */
function tear(bytes: Uint8Array): Uint8Array {
  const torn = bytes.slice();
  torn.fill(0xff, 4096 * 4, 4096 * 12);
  return torn;
}

test("openclaw restore keeps what a crash left in the log of the database that it replaces", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  await fill(dataDir, "first");
  const file = join(folder.path, "copy.db");
  await openclaw(["backup", file], dataDir);
  const server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
  await ask(server.url, "in-the-log", "hello");
  await server.stop("SIGKILL");
  await server[Symbol.asyncDispose]();
  expect((await openclaw(["restore", file], dataDir)).code).toBe(0);
  const aside = (await readdir(dataDir)).find((name) => name.includes("before-restore")) ?? "";
  using old = new Database(join(dataDir, aside), { readwrite: true });
  expect(old.query("SELECT id FROM sessions").all()).toEqual([{ id: "in-the-log" }]);
});

test("openclaw brings a database of version 1 forward, keeps a copy of it, and restores that copy", async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const store = await openStore({ dataDir, migrations: migrations.slice(0, 1) });
  await store.write((tx) => notes.put(tx, "alice", { key: "k", content: "old", now: 1 }));
  await store.close();
  const start = async () => {
    await using server = await startExecutable({ OPENCLAW_DATA_DIR: dataDir });
    await ask(server.url, "s", "hello");
    expect(await server.stop()).toBe(0);
  };
  const versionIn = (name: string) => {
    using database = new Database(join(dataDir, name), { readonly: true });
    return database.query("SELECT version FROM schema_version").get();
  };
  await start();
  const copy = `openclaw.db.before-${newest}`;
  expect(versionIn(copy)).toEqual({ version: 1 });
  expect(versionIn("openclaw.db")).toEqual({ version: newest });

  const restored = await openclaw(["restore", join(dataDir, copy)], dataDir);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining(`brings it to ${newest}`) });
  expect(versionIn("openclaw.db")).toEqual({ version: 1 });
  await start();
  expect(versionIn("openclaw.db")).toEqual({ version: newest });

  using database = new Database(join(dataDir, "openclaw.db"));
  database.run("UPDATE schema_version SET version = 999");
  database.close();
  const refused = await openclaw([], dataDir);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("version 999") });
});

test("openclaw backup and restore name the tool for PostgreSQL, and want one file", async () => {
  const env = { OPENCLAW_DATABASE_URL: "postgres://u:p@localhost/x" };
  expect(await runExecutable(["backup", "x"], env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("pg_dump"),
  });
  expect(await runExecutable(["restore", "x"], env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("pg_restore"),
  });
  for (const args of [["backup"], ["backup", "a", "b"], ["restore"], ["restore", "--force", "a"]])
    expect((await runExecutable(args)).code).toBe(2);
});
