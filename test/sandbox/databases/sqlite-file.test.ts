import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResultTable } from "../../../src/sandbox/databases/result-table.ts";
import { createPrograms } from "../../../src/sandbox/processes/create-programs.ts";
import { type DatabaseLender, lendDatabases } from "../../../src/sandbox/databases/databases.ts";
import type { Programs } from "../../../src/sandbox/processes/programs.ts";
import { openRoots, type Roots } from "../../../src/sandbox/files/roots.ts";
import { aWorkspace, type Workspace } from "../workspace.ts";

let at: Workspace;
let roots: Roots;
let programs: Programs;
let databases: DatabaseLender;

const make = (path: string, log = false) => {
  const database = new Database(path);
  if (log) database.run("PRAGMA journal_mode = WAL");
  database.run("CREATE TABLE t (a, b)");
  database.run("INSERT INTO t VALUES (9007199254740993, x'0102'), (NULL, 'x')");
  database.close();
};

async function start(sandbox: "auto" | "none") {
  programs = await createPrograms(
    {
      sandbox,
      sandboxUser: undefined,
      processMemoryBytes: 256 << 20,
      processCount: 64,
      processFileBytes: 1 << 30,
    },
    { never: [at.data], workspace: at.work },
  );
  databases = lendDatabases({}, { roots, never: [at.data], programs });
}

type Act = "query" | "execute";
const ask = (
  act: Act,
  name: string,
  sql: string,
  signal = new AbortController().signal,
): Promise<ResultTable> => databases.lend(undefined, signal)[act](name, sql);
const rows = async (name: string, sql: string) => (await ask("query", name, sql)).rows;

beforeEach(async () => {
  at = aWorkspace();
  roots = openRoots({ workspace: at.work, readRoots: ["."], writeRoots: ["."] });
  await start("auto");
  make(join(at.work, "a b?%#.db"));
});
afterEach(async () => {
  databases.close();
  await programs.close();
  roots.close();
  at.remove();
});

const file = "a b?%#.db";

test("lendDatabases reads and changes an SQLite file, whatever its name", async () => {
  expect(await ask("query", file, "SELECT * FROM t")).toEqual({
    columns: ["a", "b"],
    rows: [
      ["9007199254740993", "x'0102' (2 bytes)"],
      ["NULL", "x"],
    ],
    more: false,
  });
  expect(await ask("execute", file, "INSERT INTO t VALUES (1, 2) RETURNING a")).toMatchObject({
    rows: [["1"]],
    changed: 1,
  });
  expect(await ask("execute", file, "UPDATE t SET b = 3")).toMatchObject({ rows: [], changed: 3 });
  expect(await rows(file, "SELECT count(*) FROM t WHERE b = 3")).toEqual([["3"]]);
});

test("lendDatabases lists the tables of a file and describes one", async () => {
  const can = databases.lend(undefined, new AbortController().signal);
  expect((await can.tables(file)).rows).toEqual([["t", "table"]]);
  expect((await can.schema(file, "t")).rows).toEqual([["table", "t", "CREATE TABLE t (a, b)"]]);
  expect((await can.schema(file, "'; DROP TABLE t; --")).rows).toEqual([]);
});

test("lendDatabases reads a file with a write-ahead log, at rest and while somebody writes to it", async () => {
  const path = join(at.work, "log.db");
  make(path, true);
  expect(await rows("log.db", "SELECT count(*) FROM t")).toEqual([["2"]]);
  const writer = new Database(path);
  writer.run("INSERT INTO t VALUES (5, 5)");
  expect(await rows("log.db", "SELECT count(*) FROM t")).toEqual([["3"]]);
  writer.close();
});

test.each([
  ["DELETE FROM t"],
  ["DROP TABLE t"],
  ["CREATE TABLE z (a)"],
  ["PRAGMA user_version = 7"],
  ["WITH x AS (SELECT 1) INSERT INTO t SELECT 1, 2 FROM x"],
  ["INSERT INTO t VALUES (1, 2) RETURNING a"],
])("lendDatabases has SQLite refuse %s in a query", async (sql) => {
  await expect(ask("query", file, sql)).rejects.toMatchObject({
    message: expect.stringContaining("SQLITE_READONLY"),
  });
});

test.each([
  ["SELECT 1; SELECT 2", "one statement a call"],
  ["SELECT 1; DROP TABLE t", "one statement a call"],
  ["", "Invalid SQL"],
  ["-- nothing", "Invalid SQL"],
  ["nonsense", "syntax error"],
  ["SELECT 1 AS a, 2 AS a", "one name"],
  ["SELECT load_extension('/tmp/x.so')", "are not possible here"],
  ["EXPLAIN EXPLAIN SELECT 1", "syntax error"],
])("lendDatabases refuses %j in a file and says why", async (sql, why) => {
  for (const act of ["query", "execute"] as const)
    await expect(ask(act, file, sql)).rejects.toMatchObject({ message: expect.stringContaining(why) });
});

describe.each(["auto", "none"] as const)("lendDatabases with the sandbox %s", (sandbox) => {
  beforeEach(async () => {
    databases.close();
    await programs.close();
    await start(sandbox);
    make(join(at.outside, "canary.db"));
  });

  test("opens and makes no other file by ATTACH or VACUUM INTO", async () => {
    const [canary, made] = [join(at.outside, "canary.db"), join(at.outside, "made.db")];
    for (const act of ["query", "execute"] as const)
      for (const sql of [
        `ATTACH '${canary}' AS x`,
        `/* a */ -- b\n ATTACH DATABASE '${canary}' AS x`,
        `ATTACH 'file:${made}?mode=rwc' AS x`,
        `ATTACH '${join(at.data, "own.db")}' AS x`,
        `VACUUM INTO '${made}'`,
        `VACUUM main INTO '${join(at.work, "made.db")}'`,
        "VACUUM",
        "DETACH main",
      ])
        await expect(ask(act, file, sql)).rejects.toMatchObject({
          message: expect.stringContaining("not possible here"),
        });
    expect(readdirSync(at.outside)).toEqual(["canary.db"]);
    expect(readdirSync(at.work).sort()).toEqual([".data", file]);
    // What only explains does nothing.
    expect((await ask("query", file, `EXPLAIN VACUUM INTO '${made}'`)).columns).toContain("opcode");
    expect((await ask("query", file, "EXPLAIN QUERY PLAN SELECT * FROM t")).columns).toContain("detail");
    expect(existsSync(made)).toBe(false);
  });

  test("ends a statement that never ends, and one that takes too much memory", async () => {
    const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    const stop = AbortSignal.timeout(300);
    await expect(ask("query", file, endless, stop)).rejects.toThrow();
    await expect(ask("query", file, "SELECT length(randomblob(900000000))")).rejects.toMatchObject({
      message: expect.stringContaining("too much memory"),
    });
    expect(await rows(file, "SELECT 1")).toEqual([["1"]]);
  });
});

test("lendDatabases takes 200 rows of a query that has no end of them", async () => {
  const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
  const table = await ask("query", file, endless);
  expect([table.rows.length, table.more, table.rows.at(-1)]).toEqual([200, true, ["200"]]);
});

test("lendDatabases opens no file outside the roots, by a link, of ours, or that is none", async () => {
  make(join(at.outside, "canary.db"));
  make(join(at.data, "own.db"));
  symlinkSync(join(at.outside, "canary.db"), join(at.work, "link.db"));
  writeFileSync(join(at.work, "garbage.db"), "hello ".repeat(1000));
  for (const name of ["../outside/canary.db", join(at.outside, "canary.db"), "link.db", ".data/own.db"])
    for (const act of ["query", "execute"] as const)
      await expect(ask(act, name, "SELECT * FROM t")).rejects.toMatchObject({ code: "forbidden" });
  await expect(rows("garbage.db", "SELECT 1 FROM sqlite_schema")).rejects.toMatchObject({
    message: expect.stringContaining("not a database"),
  });
  await expect(rows("none.db", "SELECT 1")).rejects.toMatchObject({ code: "not_found" });
  await expect(rows(".", "SELECT 1")).rejects.toMatchObject({ message: expect.stringContaining("a folder") });
});

test("lendDatabases changes no file outside the write roots", async () => {
  const readOnly = openRoots({ workspace: at.work, readRoots: ["."], writeRoots: [] });
  const lender = lendDatabases({}, { roots: readOnly, never: [], programs });
  const can = lender.lend(undefined, new AbortController().signal);
  expect((await can.query(file, "SELECT 1 AS n")).rows).toEqual([["1"]]);
  await expect(can.execute(file, "DELETE FROM t")).rejects.toMatchObject({ code: "forbidden" });
  readOnly.close();
});

test("lendDatabases never shows another file that is swapped in", async () => {
  make(join(at.outside, "canary.db"));
  new Database(join(at.outside, "canary.db")).run("UPDATE t SET b = 'SECRET'");
  symlinkSync(join(at.outside, "canary.db"), join(at.work, "other"));
  const path = join(at.work, file);
  let swapping = true;
  const swap = (async () => {
    while (swapping) {
      renameSync(path, join(at.work, "aside"));
      symlinkSync(join(at.outside, "canary.db"), path);
      await Bun.sleep(0);
      renameSync(join(at.work, "aside"), path);
      await Bun.sleep(0);
    }
  })();
  const seen: string[] = [];
  for (let count = 0; count < 15; count += 1)
    seen.push(
      JSON.stringify(await ask("query", file, "SELECT b FROM t").catch((error: Error) => error.message)),
    );
  swapping = false;
  await swap;
  expect(seen.join()).not.toContain("SECRET");
});
