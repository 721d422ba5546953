import { SQL } from "bun";
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Mariadb, mariadbPassword, startMariadb } from "../helpers/mariadb.ts";
import { clusterPassword, postgresDatabase } from "../helpers/postgres.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

// Two databases are started.
setDefaultTimeout(60_000);

let postgres: Awaited<ReturnType<typeof postgresDatabase>>;
let mariadb: Mariadb;
let at: ToolWorkspace;
beforeAll(async () => {
  [postgres, mariadb] = await Promise.all([postgresDatabase(), startMariadb()]);
  for (const url of [postgres.url, mariadb.url]) {
    await using sql = new SQL({ url, max: 1 });
    await sql.unsafe("CREATE TABLE sales (id int, item text)");
    await sql.unsafe("INSERT INTO sales VALUES (1, 'claw'), (2, NULL)");
  }
  const databases = {
    sales: postgres.url,
    desk: { url: postgres.url, write: true },
    shop: mariadb.url,
    till: { url: mariadb.url, write: true },
  };
  at = await startToolWorkspace({ env: { OPENCLAW_DATABASES: JSON.stringify(databases) } });
  using file = new Database(at.put("data/own.sqlite", ""));
  file.run("CREATE TABLE sales (id int, item text)");
  file.run("INSERT INTO sales VALUES (1, 'claw'), (2, NULL)");
});
afterAll(async () => {
  await at?.[Symbol.asyncDispose]();
  await mariadb?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

const ask = (input: object) => at.call("database", input);

test.each(["sales", "shop", "data/own.sqlite"])("database reads %s on the executable", async (database) => {
  const found = await ask({ action: "query", database, sql: "SELECT item FROM sales ORDER BY id" });
  expect(found).toMatchObject({
    status: "ok",
    text: expect.stringMatching(/^\| item \|\n\|---\|\n\| claw \|/),
  });
  expect((await ask({ action: "tables", database })).text).toContain("sales");
  expect((await ask({ action: "schema", database, table: "sales" })).text).toContain("item");
});

test.each([
  ["sales", "WITH gone AS (DELETE FROM sales RETURNING 1) SELECT count(*) FROM gone"],
  ["sales", "INSERT INTO sales VALUES (9, 'x')"],
  ["sales", "COMMIT; DELETE FROM sales"],
  ["desk", "INSERT INTO sales VALUES (9, 'x')"],
  ["shop", "INSERT INTO sales VALUES (9, 'x')"],
  ["till", "DELETE FROM sales"],
  ["data/own.sqlite", "DELETE FROM sales"],
  ["data/own.sqlite", "ATTACH '/etc/passwd' AS x"],
])("database lets no query change %s on the executable: %s", async (database, sql) => {
  expect((await ask({ action: "query", database, sql })).status).not.toBe("ok");
  const read = { action: "query", database, sql: "SELECT count(*) AS c FROM sales" };
  expect((await ask(read)).text).toBe("| c |\n|---|\n| 2 |");
});

test("database changes only what says that it may be changed on the executable", async () => {
  const sql = "UPDATE sales SET item = 'shell' WHERE id = 2";
  for (const database of ["desk", "till"])
    expect(await ask({ action: "execute", database, sql })).toMatchObject({
      status: "ok",
      text: "Rows changed: 1",
    });
  for (const database of ["sales", "shop"])
    expect(await ask({ action: "execute", database, sql })).toMatchObject({
      status: "denied",
      reason: "not_granted",
    });
  const read = "SELECT item FROM sales WHERE id = 2";
  expect((await ask({ action: "query", database: "sales", sql: read })).text).toContain("| shell |");
  expect(await ask({ action: "execute", database: "data/own.sqlite", sql })).toMatchObject({ status: "ok" });
  using file = new Database(join(at.work, "data/own.sqlite"), { readonly: true });
  expect(file.query(read).get()).toEqual({ item: "shell" });
});

test("database opens no file outside, and tells no password, on the executable", async () => {
  const { dataDir } = { dataDir: join(at.server.folder, ".local/state/openclaw") };
  for (const database of [join(dataDir, "openclaw.db"), "../outside/x.sqlite", "/etc/passwd"])
    expect((await ask({ action: "tables", database })).status).not.toBe("ok");
  const wrong = await ask({ action: "query", database: "sales", sql: "SELECT nothing_of_the_kind" });
  expect(wrong.status).toBe("error");
  const unknown = await ask({ action: "query", database: "nope", sql: "SELECT 1" });
  for (const secret of [clusterPassword, mariadbPassword, encodeURIComponent(clusterPassword)])
    expect(wrong.text + unknown.text + at.server.stderr()).not.toContain(secret);
});
