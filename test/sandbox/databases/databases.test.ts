import { SQL } from "bun";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  type DatabaseConnection,
  type DatabaseLender,
  lendDatabases,
} from "../../../src/sandbox/databases/databases.ts";
import type { Programs } from "../../../src/sandbox/processes/programs.ts";
import { type Mariadb, startMariadb } from "../../helpers/mariadb.ts";
import { clusterPassword, postgresDatabase } from "../../helpers/postgres.ts";

// Two databases are started.
setDefaultTimeout(60_000);

/** No SQLite file is asked here. */
const noPrograms: Programs = {
  host: { works: false, text: "none" },
  run: () => Promise.reject(new Error("not asked for")),
  launch: () => Promise.reject(new Error("not asked for")),
  find: async () => undefined,
  async close() {},
};
const parts = {
  roots: { workspace: undefined, read: [], write: [], close() {} },
  never: [],
  programs: noPrograms,
};

let postgres: Awaited<ReturnType<typeof postgresDatabase>>;
let mariadb: Mariadb;
let databases: DatabaseLender;
beforeAll(async () => {
  [postgres, mariadb] = await Promise.all([postgresDatabase(), startMariadb()]);
  const wrong = new URL(postgres.url);
  wrong.password = "TOPSECRET";
  const connections: Record<string, DatabaseConnection> = {
    "pg-read": { kind: "postgres", url: postgres.url, write: false },
    "pg-write": { kind: "postgres", url: postgres.url, write: true },
    "my-read": { kind: "mysql", url: mariadb.url, write: false },
    "my-write": { kind: "mysql", url: mariadb.url, write: true },
    wrong: { kind: "postgres", url: wrong.href, write: false },
    gone: { kind: "postgres", url: "postgres://u:TOPSECRET@127.0.0.1:1/x", write: false },
    nowhere: { kind: "mysql", url: "mysql://u:TOPSECRET@host.invalid:1/x", write: false },
  };
  databases = lendDatabases(connections, parts);
});
afterAll(async () => {
  databases.close();
  await postgres[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

const can = (signal = new AbortController().signal) => databases.lend(undefined, signal);
const rows = async (name: string, sql: string) => (await can().query(name, sql)).rows;

describe.each([
  ["pg", "bigint", "SELECT pg_sleep(60)"],
  ["my", "bigint", "SELECT sleep(60)"],
])("lendDatabases (%s)", (kind, big, endless) => {
  const [reader, writer] = [`${kind}-read`, `${kind}-write`];
  beforeAll(async () => {
    await can().execute(writer, "DROP TABLE IF EXISTS t");
    await can().execute(writer, `CREATE TABLE t (a ${big}, b varchar(40))`);
    await can().execute(writer, "INSERT INTO t VALUES (9007199254740993, 'x'), (NULL, 'it''s')");
  });

  test("reads rows, lists tables and describes one", async () => {
    expect(await can().query(reader, "SELECT a, b FROM t ORDER BY b DESC")).toEqual({
      columns: ["a", "b"],
      rows: [
        ["9007199254740993", "x"],
        ["NULL", "it's"],
      ],
      more: false,
    });
    expect((await can().tables(reader)).rows.flat()).toContain("t");
    expect(
      (await can().schema(reader, "t")).rows.flat().filter((cell) => cell === "a" || cell === "b"),
    ).toEqual(["a", "b"]);
    expect((await can().schema(reader, "'; DROP TABLE t; --")).rows).toEqual([]);
    expect((await rows(reader, "EXPLAIN SELECT * FROM t")).length).toBeGreaterThan(0);
  });

  test.each([
    "DELETE FROM t",
    "DROP TABLE t",
    "TRUNCATE TABLE t",
    "ALTER TABLE t ADD c int",
    "CREATE TABLE z (a int)",
    "UPDATE t SET b = 'z'",
    "WITH x AS (SELECT 1) DELETE FROM t",
    "COMMIT",
    "COMMIT; DROP TABLE t",
    "SELECT 1; DROP TABLE t",
    "SELECT 1; COMMIT; DROP TABLE t",
    "SET TRANSACTION READ WRITE",
    "SET SESSION TRANSACTION READ WRITE",
    "BEGIN NOT ATOMIC COMMIT; DELETE FROM t; END",
    "DO $$ BEGIN COMMIT; DELETE FROM t; END $$",
    "EXPLAIN ANALYZE DELETE FROM t",
    "ANALYZE DELETE FROM t",
    "LOCK TABLES t WRITE",
    "CALL nothing()",
    "COPY t TO PROGRAM 'true'",
    "COPY (SELECT 1) TO STDOUT",
    "LISTEN x",
    "GRANT ALL ON t TO PUBLIC",
    "PREPARE p AS DELETE FROM t",
    "/*! DELETE FROM t */",
    "SELECT 1 INTO OUTFILE 'written-1'",
    "SELECT 1 INTO DUMPFILE 'written-2'",
    "(SELECT b FROM t) INTO OUTFILE 'written-3'; ",
    "SELECT b INTO OUTFILE 'written-4' FROM t -- x",
    "SELECT 1) INTO OUTFILE 'written-5' # ",
    "SELECT b FROM t UNION SELECT 1 INTO OUTFILE 'written-6'",
    "nonsense",
    "",
    " ",
    "\0",
    "x".repeat(100_000),
  ])("has the database refuse %p in a query", async (sql) => {
    await expect(can().query(reader, sql.slice(0))).rejects.toMatchObject({
      message: expect.stringMatching(/refused it \(SQLSTATE [0-9A-Z]{5}\)|no answer/),
    });
    expect(await rows(reader, "SELECT count(*) FROM t WHERE b <> 'z'")).toEqual([["2"]]);
  });

  test("shows every column as it was asked for, also of one name, and no column in another's place", async () => {
    expect(
      await can().query(reader, 'SELECT a AS x, b AS x, 7 AS "2", 8 AS "1" FROM t WHERE b = \'x\''),
    ).toEqual({
      columns: ["x", "x", "2", "1"],
      rows: [["9007199254740993", "x", "7", "8"]],
      more: false,
    });
    expect((await can().query(reader, "SELECT min(a), min(a) FROM t")).rows).toEqual([
      ["9007199254740993", "9007199254740993"],
    ]);
  });

  test("changes only where that is granted, one statement a call", async () => {
    await expect(can().execute(reader, "DELETE FROM t")).rejects.toMatchObject({ code: "forbidden" });
    await expect(can().execute(writer, "DELETE FROM t; DELETE FROM t")).rejects.toThrow("refused it");
    expect((await can().execute(writer, "INSERT INTO t VALUES (1, 'new')")).changed).toBe(1);
    expect((await can().execute(writer, "DELETE FROM t WHERE a = 1")).changed).toBe(1);
    expect(await rows(reader, "SELECT count(*) FROM t")).toEqual([["2"]]);
  });

  test("takes 200 rows of many, cuts long cells, and says so", async () => {
    const many = await can().query(
      reader,
      "WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT n FROM c",
    );
    expect([many.rows.length, many.more]).toEqual([200, true]);
    const [[long = ""] = []] = await rows(reader, "SELECT repeat('x', 100000) AS r");
    expect(long).toEndWith("… (100000 characters)");
  });

  test("stops when it is cancelled, and answers the next question", async () => {
    const stop = AbortSignal.timeout(200);
    await expect(can(stop).query(reader, endless)).rejects.toThrow();
    expect(await rows(reader, "SELECT 1 AS one")).toEqual([["1"]]);
  });
});

test("lendDatabases shows what a procedure of MySQL gives, one result or several", async () => {
  const call = async (name: string, body: string) => {
    await can().execute("my-write", `CREATE OR REPLACE PROCEDURE ${name}() BEGIN ${body} END`);
    return can().execute("my-write", `CALL ${name}()`);
  };
  const one = await call("gives_one", "SELECT 1 AS a, 2 AS a UNION SELECT 3, 4;");
  expect(one).toMatchObject({
    columns: ["a", "a"],
    rows: [
      ["1", "2"],
      ["3", "4"],
    ],
  });
  const two = await call("gives_two", "SELECT 1 AS a; SELECT 2 AS b, 'x' AS c;");
  expect(two).toMatchObject({ columns: ["result"], rows: [['[["a"],[1]]'], ['[["b","c"],[2,"x"]]']] });
  expect((await call("gives_none", "DO 1;")).rows).toEqual([]);
});

test("lendDatabases shows what PostgreSQL holds to the last digit, and the same in each row of many", async () => {
  const cells = `'{"n": 12345678901234567890}'::json AS j, TIMESTAMP '2024-03-10 12:00:00.123456' AS ts, 0.1::float4 AS f,
    ARRAY[1, NULL] AS i, ARRAY[1, 2] AS n, '\\xdead'::bytea AS bytes, true AS yes, NULL AS none`;
  const table = await can().query("pg-read", `SELECT ${cells} FROM generate_series(1, 120)`);
  const row = ['{"n": 12345678901234567890}', "2024-03-10 12:00:00.123456", "0.1", "{1,NULL}", "{1,2}"];
  expect(table.rows).toEqual(Array(120).fill([...row, "x'dead' (2 bytes)", "true", "NULL"]));
  const made = await can().execute("pg-write", `SELECT ${cells}`);
  expect(made.rows).toEqual(table.rows.slice(0, 1));
});

test("lendDatabases leaves no statement running on PostgreSQL that was cancelled", async () => {
  await expect(can(AbortSignal.timeout(200)).query("pg-read", "SELECT pg_sleep(60)")).rejects.toThrow();
  await using sql = new SQL({ url: postgres.url, max: 1 });
  const until = performance.now() + 10_000;
  for (;;) {
    const [row] =
      await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`;
    if (row.n === 0) break;
    if (performance.now() > until) throw new Error("It still runs.");
    await Bun.sleep(100);
  }
});

test("lendDatabases never shows an address or a password", async () => {
  for (const name of ["wrong", "gone", "nowhere"]) {
    const error = await can()
      .query(name, "SELECT 1")
      .catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/^AppError: (?:Cannot ask|The database) /);
    expect(`${Bun.inspect(error)}`).not.toContain("TOPSECRET");
    expect(`${Bun.inspect(error)}`).not.toContain(clusterPassword);
  }
});

test("lendDatabases asks which database is meant", async () => {
  await expect(can().query(undefined, "SELECT 1")).rejects.toMatchObject({
    message: expect.stringContaining("pg-read"),
  });
  await expect(can().query("constructor", "SELECT 1")).rejects.toMatchObject({ code: "forbidden" });
  const one = lendDatabases({ only: { kind: "postgres", url: postgres.url, write: false } }, parts);
  const [[n] = []] = (
    await one.lend(undefined, new AbortController().signal).query(undefined, "SELECT 1 AS n")
  ).rows;
  expect(n).toBe("1");
  one.close();
});
