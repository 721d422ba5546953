import * as v from "valibot";
import { AppError } from "../errors.ts";
import { every, first, int, maybeText } from "./columns.ts";
import { pageSize, readCursor, toPage, type Page, type PageOptions } from "./page.ts";
import { hold, setLeaf, type Session } from "./sessions.ts";
import type { Tx } from "./tx.ts";

/** A name for a place in the tree of a session. It never moves: who goes on from there leaves it behind. */
export interface Branch {
  readonly name: string;
  /** Absent: before the first message. */
  readonly entryId?: string;
  /** How many messages lead to it. */
  readonly messages: number;
  /** True for one that a restore made, to keep where the session stood. */
  readonly kept: boolean;
  readonly createdAt: number;
}

/** A place in the tree: an entry, or the root, which has no id and stands before the first. */
export interface Place {
  readonly entryId?: string;
  readonly depth: number;
}

/** Letters and digits of any script first, so that no name is a path; no control characters. */
export const BranchName = v.pipe(
  v.string(),
  v.normalize("NFC"),
  v.minLength(1, "A branch needs a name."),
  v.maxLength(64, "A branch name is at most 64 characters long."),
  v.regex(
    /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*(?: [\p{L}\p{M}\p{N}._-]+)*$/u,
    "A branch name is letters and digits, then also . _ - and single spaces.",
  ),
);

export const mostBranches = 200;
const mostKept = 20;
const keptPrefix = "before-restore-";
const entryShape = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

const BranchRow = v.pipe(
  v.object({ name: v.string(), entry_id: maybeText, messages: int, kept: int, created_at: int }),
  v.transform((row): Branch => ({
    name: row.name,
    entryId: row.entry_id,
    messages: row.messages,
    kept: row.kept === 1,
    createdAt: row.created_at,
  })),
);

const PlaceRow = v.pipe(
  v.object({ id: maybeText, depth: int }),
  v.transform((row): Place => ({ entryId: row.id, depth: row.depth })),
);

/**
 * The place that a text names: `leaf` is where the session stands, `root` is before its first message, else it is a
 * branch or the id of an entry. Throws `not_found` for what this session does not have.
 */
export async function findPlace(tx: Tx, session: Session, point: string): Promise<Place> {
  if (point === "root") return { depth: 0 };
  if (point !== "leaf" && !entryShape.test(point)) return placeOfBranch(tx, session.id, point);
  const entryId = point === "leaf" ? session.leafId : point.toLowerCase();
  if (entryId === undefined) return { depth: 0 };
  // Not a summary, which stands beside the tree.
  const found = await tx`
    SELECT id, depth FROM entries WHERE id = ${entryId} AND session_id = ${session.id} AND kept_from IS NULL`;
  const place = first(PlaceRow, found);
  if (place !== undefined) return place;
  throw new AppError("not_found", `Session ${session.id} has no entry ${entryId}.`);
}

async function placeOfBranch(tx: Tx, sessionId: string, name: string): Promise<Place> {
  const found = await tx`
    SELECT entries.id, COALESCE(entries.depth, 0) AS depth
    FROM branches LEFT JOIN entries ON entries.id = branches.entry_id
    WHERE branches.session_id = ${sessionId} AND branches.name = ${name}`;
  const place = first(PlaceRow, found);
  if (place !== undefined) return place;
  throw noBranch(sessionId, name);
}

const noBranch = (sessionId: string, name: string) =>
  new AppError(
    "not_found",
    `Session ${sessionId} has no branch "${name}": branches.list tells those it has.`,
  );

/** Throws `bad_request` for names that mean something else. */
function checkFree(name: string): void {
  const why =
    name === "root" || name === "leaf"
      ? "is a place that every session has"
      : name.startsWith(keptPrefix)
        ? "begins like the branches that a restore keeps"
        : entryShape.test(name)
          ? "looks like the id of an entry"
          : undefined;
  if (why === undefined) return;
  throw new AppError(
    "bad_request",
    `A branch cannot be called "${name}", which ${why}: choose another name.`,
    {
      param: "name",
    },
  );
}

/** Names a place in a session, by default where it stands. Throws `conflict` for a name that it has, or when it has too many. */
export async function create(
  tx: Tx,
  sessionId: string,
  of: { name: string; at?: string; now: number },
): Promise<Branch> {
  const { name, at = "leaf", now } = of;
  checkFree(name);
  const session = await hold(tx, sessionId);
  const { entryId, depth } = await findPlace(tx, session, at);
  if ((await countOwn(tx, sessionId)) >= mostBranches)
    throw new AppError(
      "conflict",
      `Session ${sessionId} has ${mostBranches} branches, which is the most: delete one that is not needed.`,
    );
  const made = await tx`
    INSERT INTO branches (session_id, name, entry_id, kept, created_at)
    VALUES (${sessionId}, ${name}, ${entryId ?? null}, 0, ${now})
    ON CONFLICT (session_id, name) DO NOTHING RETURNING name`;
  if (made.length === 0)
    throw new AppError(
      "conflict",
      `Session ${sessionId} has a branch "${name}" already, and branches never move: choose another name or delete it.`,
      { param: "name" },
    );
  return { name, messages: depth, kept: false, createdAt: now, ...(entryId !== undefined && { entryId }) };
}

const Count = v.object({ count: int });

async function countOwn(tx: Tx, sessionId: string): Promise<number> {
  const rows = await tx`SELECT count(*) AS count FROM branches WHERE session_id = ${sessionId} AND kept = 0`;
  return first(Count, rows)?.count ?? 0;
}

const Named = v.object({ name: v.string() });

/** The first of `branch-1`, `branch-2`, … that a session does not have. */
export async function freeName(tx: Tx, sessionId: string): Promise<string> {
  const rows = every(Named, await tx`SELECT name FROM branches WHERE session_id = ${sessionId}`);
  const taken = new Set(rows.map(({ name }) => name));
  let number = 1;
  while (taken.has(`branch-${number}`)) number++;
  return `branch-${number}`;
}

const ListPlace = v.tuple([int, v.string()]);

/** The branches of a session, newest first. */
export async function list(tx: Tx, sessionId: string, { cursor, limit }: PageOptions): Promise<Page<Branch>> {
  const size = pageSize(limit);
  const [time, name] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : readCursor(ListPlace, cursor);
  const rows = await tx`
    SELECT branches.name, branches.entry_id, branches.kept, branches.created_at, COALESCE(entries.depth, 0) AS messages
    FROM branches LEFT JOIN entries ON entries.id = branches.entry_id
    WHERE branches.session_id = ${sessionId} AND (branches.created_at, branches.name) < (${time}, ${name})
    ORDER BY branches.created_at DESC, branches.name DESC LIMIT ${size + 1}`;
  return toPage(every(BranchRow, rows), size, (last) => [last.createdAt, last.name]);
}

/** Forgets a name; what it pointed at stays. Throws `not_found` without it. */
export async function remove(tx: Tx, sessionId: string, name: string): Promise<void> {
  const removed = await tx`
    DELETE FROM branches WHERE session_id = ${sessionId} AND name = ${name} RETURNING name`;
  if (removed.length === 0) throw noBranch(sessionId, name);
}

/**
 * Points a session at a place, and first keeps where it stood as a branch, so that nothing is lost. `kept` is the name
 * of that branch, absent when the session stood there already.
 */
export async function restore(
  tx: Tx,
  sessionId: string,
  point: string,
  now: number,
): Promise<Place & { readonly kept?: string }> {
  const session = await hold(tx, sessionId);
  const place = await findPlace(tx, session, point);
  if (place.entryId === session.leafId) return place;
  const kept = await keepLeaf(tx, session, now);
  await setLeaf(tx, sessionId, place.entryId ?? null, now);
  return { ...place, kept };
}

const Made = v.object({ created_at: int });

async function keepLeaf(tx: Tx, { id, leafId }: Session, now: number): Promise<string> {
  const newest = await tx`
    SELECT created_at FROM branches WHERE session_id = ${id} AND kept = 1 ORDER BY created_at DESC LIMIT 1`;
  // Two restores of one millisecond, or a clock that was set back, must not meet.
  const at = Math.max(now, (first(Made, newest)?.created_at ?? 0) + 1);
  const name = `${keptPrefix}${at}`;
  await tx`
    INSERT INTO branches (session_id, name, entry_id, kept, created_at)
    VALUES (${id}, ${name}, ${leafId ?? null}, 1, ${at})`;
  await tx`
    DELETE FROM branches WHERE session_id = ${id} AND kept = 1 AND created_at <= (
      SELECT created_at FROM branches WHERE session_id = ${id} AND kept = 1
      ORDER BY created_at DESC LIMIT 1 OFFSET ${mostKept}
    )`;
  return name;
}
