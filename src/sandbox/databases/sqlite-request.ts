import * as v from "valibot";
import { ResultTable } from "./result-table.ts";

/** One statement for an SQLite file, as JSON on the standard input of a process of its own. */
export const SqliteRequest = v.object({
  /** Real path, and the numbers of the file that was looked at there: another one is not touched. */
  path: v.string(),
  device: v.string(),
  inode: v.string(),
  sql: v.string(),
  parameters: v.array(v.string()),
  write: v.boolean(),
});
export type SqliteRequest = v.InferOutput<typeof SqliteRequest>;

export const SqliteAnswer = v.variant("ok", [
  v.object({ ok: v.literal(true), table: ResultTable }),
  v.object({ ok: v.literal(false), said: v.string() }),
]);
export type SqliteAnswer = v.InferOutput<typeof SqliteAnswer>;
