import * as sessions from "../store/sessions.ts";
import type { Tx } from "../store/tx.ts";
import * as turns from "../store/turns.ts";
import type { Past } from "./history.ts";
import type { Turn } from "./turn.ts";

/** The newest part of a session's path, as it stands in the tree. */
export interface StoredPast {
  readonly path: readonly sessions.Entry[];
  /** Something is before the path that no summary in it stands for. */
  readonly isCut: boolean;
}

/** Reads what has `maxBytes` together of the path that ends at `leafId`; it ends where a summary stands. */
export async function readPath(tx: Tx, leafId: string | undefined, maxBytes: number): Promise<StoredPast> {
  const path = leafId === undefined ? [] : await sessions.path(tx, leafId, maxBytes);
  const oldest = path[0];
  return { path, isCut: oldest?.parentId !== undefined && oldest.keptFrom === undefined };
}

/** The question of a turn that goes on, where its own messages fill the whole window. */
async function questionOf(tx: Tx, turn: Turn): Promise<sessions.Entry | undefined> {
  const id = turn.resumed ? (await turns.find(tx, turn.id))?.userEntryId : undefined;
  return id === undefined ? undefined : sessions.entry(tx, id);
}

/** A path as a conversation: its summary, and what was said first, which is one more row read by its id. */
export async function pastOf(tx: Tx, turn: Turn, path: readonly sessions.Entry[]): Promise<Past> {
  const [oldest] = path;
  const entries = oldest?.keptFrom === undefined ? path : path.slice(1);
  const firstId = oldest?.firstUserId;
  const isThere = firstId === undefined || entries.some((entry) => entry.id === firstId);
  const first = isThere ? undefined : await sessions.entry(tx, firstId);
  const hasQuestion = entries.some((entry) => entry.message.role === "user");
  const question = hasQuestion ? undefined : await questionOf(tx, turn);
  return {
    entries: [...(question === undefined ? [] : [question]), ...entries].map((entry) => entry.message),
    ...(first !== undefined && { first: first.message }),
    ...(oldest?.keptFrom !== undefined && { summary: oldest.message }),
  };
}
