import { afterAll, beforeAll, expect, test } from "bun:test";
import type { CanQueryDatabases } from "../../src/sandbox/capabilities.ts";
import type { ResultTable } from "../../src/sandbox/databases/result-table.ts";
import { database, tableText } from "../../src/tools/database.ts";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

const asked: unknown[][] = [];
const answer = (...call: unknown[]): Promise<ResultTable> => {
  asked.push(call);
  return Promise.resolve({ columns: ["a"], rows: [["1"]], more: false });
};
const databases: CanQueryDatabases = {
  query: (...call) => answer("query", ...call),
  execute: (...call) => answer("execute", ...call),
  tables: (...call) => answer("tables", ...call),
  schema: (...call) => answer("schema", ...call),
};

let at: Workspace;
beforeAll(() => {
  at = aWorkspace({ lend: { databases: () => databases } });
});
afterAll(() => at.remove());

test("database hands each action to what is lent, and shows a table", async () => {
  expect(await at.call("database", { action: "query", sql: "SELECT 1" })).toMatchObject({
    status: "ok",
    text: "| a |\n|---|\n| 1 |",
  });
  await at.call("database", { action: "execute", database: "x.db", sql: "DELETE" });
  await at.call("database", { action: "tables", database: "x.db" });
  await at.call("database", { action: "schema", database: "x.db", table: "t" });
  expect(asked).toEqual([
    ["query", undefined, "SELECT 1"],
    ["execute", "x.db", "DELETE"],
    ["tables", "x.db"],
    ["schema", "x.db", "t"],
  ]);
});

test("database says what a call would do", () => {
  expect(database.effect({ action: "query" })).toBe("reads");
  expect(database.effect({ action: "tables" })).toBe("reads");
  expect(database.effect({ action: "execute" })).toBe("changes");
});

test.each([
  [{}, "action"],
  [{ action: "drop" }, "action"],
  [{ action: "query" }, "`sql`"],
  [{ action: "execute" }, "`sql`"],
  [{ action: "schema" }, "`table`"],
  [{ action: "query", sql: "" }, "sql"],
  [{ action: "query", sql: 7 }, "sql"],
  [{ action: "query", sql: "x".repeat(1_000_000) }, "sql"],
  [{ action: "query", sql: "SELECT 1", write: true }, "write"],
])("database refuses %j", async (input, text) => {
  const result = await at.call("database", input);
  expect(result).toMatchObject({ status: "error" });
  expect(result.text).toContain(text);
});

test("tableText keeps each row on one line and says what is left out", () => {
  expect(tableText({ columns: ["a|b", "c"], rows: [["x\ny", "\\|"]], more: true, changed: 3 })).toBe(
    "| a\\|b | c |\n|---|---|\n| x\\ny | \\\\\\| |\n[There is more: only 1 rows are shown. Ask for less, or use LIMIT and OFFSET.]\nRows changed: 3",
  );
  expect(tableText({ columns: ["a"], rows: [], more: false })).toBe("(No rows.)");
});

test("database is absent without its grant", () => {
  const none = aWorkspace();
  expect(none.sandbox.names).not.toContain("database");
  none.remove();
});
