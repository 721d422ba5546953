import * as v from "valibot";
import { Role } from "../llm/message.ts";
import { every } from "./columns.ts";
import type { Tx } from "./tx.ts";

const CallIds = v.array(v.string());
const Row = v.pipe(
  v.object({ role: Role, call_ids: v.string() }),
  v.transform((row) => ({
    role: row.role,
    callIds: row.call_ids === "" ? [] : v.parse(CallIds, JSON.parse(row.call_ids)),
  })),
);

/** The calls of the newest answer on the path that ends at `leafId` which have no result behind it. */
export async function openCalls(tx: Tx, leafId: string): Promise<string[]> {
  const rows = await tx`
    WITH RECURSIVE back (parent_id, role, call_ids) AS (
      SELECT parent_id, role, call_ids FROM entries WHERE id = ${leafId}
      UNION ALL
      SELECT older.parent_id, older.role, older.call_ids
      FROM back JOIN entries AS older ON older.id = back.parent_id WHERE back.role <> 'assistant'
    )
    SELECT role, call_ids FROM back`;
  const path = every(Row, rows);
  const answered = new Set(path.flatMap(({ role, callIds }) => (role === "tool" ? callIds : [])));
  const asked = path.flatMap(({ role, callIds }) => (role === "assistant" ? callIds : []));
  return asked.filter((id) => !answered.has(id));
}
