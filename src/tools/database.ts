import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanQueryDatabases } from "../sandbox/capabilities.ts";
import type { ResultTable } from "../sandbox/databases/result-table.ts";
import { defineTool } from "../sandbox/tool.ts";

const cell = (text: string) =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll("|", "\\|")
    .replaceAll(/\r\n|[\r\n]/g, "\\n")
    .replaceAll("\t", "\\t");
const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;

/** A result as a Markdown table, with what was left out. */
export function tableText({ columns, rows, more, changed }: ResultTable): string {
  const parts: string[] = [];
  if (rows.length > 0) parts.push(line(columns), `|${"---|".repeat(columns.length)}`, ...rows.map(line));
  if (more)
    parts.push(`[There is more: only ${rows.length} rows are shown. Ask for less, or use LIMIT and OFFSET.]`);
  if (changed !== undefined) parts.push(`Rows changed: ${changed}`);
  if (parts.length === 0) parts.push("(No rows.)");
  return parts.join("\n");
}

interface Input {
  readonly action: "query" | "execute" | "tables" | "schema";
  readonly database?: string | undefined;
  readonly sql?: string | undefined;
  readonly table?: string | undefined;
}

function given(value: string | undefined, name: string, action: string): string {
  if (value !== undefined) return value;
  throw new AppError("bad_request", `Cannot do that: the action ${action} needs \`${name}\`.`);
}

function ask(databases: CanQueryDatabases, { action, database, sql, table }: Input): Promise<ResultTable> {
  switch (action) {
    case "query":
      return databases.query(database, given(sql, "sql", action));
    case "execute":
      return databases.execute(database, given(sql, "sql", action));
    case "tables":
      return databases.tables(database);
    case "schema":
      return databases.schema(database, given(table, "table", action));
  }
}

export const database = defineTool({
  name: "database",
  description:
    "Ask a database: `query` reads (one SELECT), `execute` changes (one statement), `tables` lists, `schema` describes a table. Results have 200 rows at most; use LIMIT.",
  needs: ["databases"],
  effect: ({ action }) => (action === "execute" ? "changes" : "reads"),
  input: v.object({
    action: v.pipe(v.picklist(["query", "execute", "tables", "schema"]), v.description("What to do.")),
    database: v.optional(
      v.pipe(
        v.string(),
        v.nonEmpty(),
        v.description(
          "Name of a connection, or the path of an SQLite file; the connection when there is only one.",
        ),
      ),
    ),
    sql: v.optional(
      v.pipe(
        v.string(),
        v.nonEmpty(),
        v.maxLength(100_000),
        v.description("One statement, for query and execute."),
      ),
    ),
    table: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.maxLength(300), v.description("Its name, for schema.")),
    ),
  }),
  async run(input, can) {
    return tableText(await ask(can.databases, input));
  },
});
