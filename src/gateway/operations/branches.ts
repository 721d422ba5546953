import * as v from "valibot";
import * as branches from "../../store/branches.ts";
import * as comparing from "../../store/compare.ts";
import * as sessions from "../../store/sessions.ts";
import { noSession, SessionId } from "../ids.ts";
import { Entry, toEntry } from "./entry.ts";
import { checkIdle } from "./idle.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

/** A place in the tree: `leaf`, `root`, the name of a branch, or the id of an entry. All of them look like names. */
const Point = branches.BranchName;

/** `at` is the id of the entry that it points to, or `root`. */
const Branch = v.object({
  name: v.string(),
  at: v.string(),
  messages: v.number(),
  kept: v.boolean(),
  createdAt: v.number(),
});

const at = ({ entryId }: { entryId?: string }) => entryId ?? "root";

const toBranch = (branch: branches.Branch): v.InferInput<typeof Branch> => ({ ...branch, at: at(branch) });

const create = defineOperation({
  name: "branches.create",
  http: "POST /api/sessions/:session/branches",
  scope: "own-session",
  summary:
    "Names a place in the tree of a session: where it stands, or `at` an entry, another branch, or `root` (before the first message).",
  params: v.object({ session: SessionId, name: branches.BranchName, at: v.optional(Point, "leaf") }),
  result: Branch,
  run: ({ session, name, at }, { store }) =>
    store.write(async (tx) => toBranch(await branches.create(tx, session, { name, at, now: Date.now() }))),
});

const list = defineOperation({
  name: "branches.list",
  http: "GET /api/sessions/:session/branches",
  scope: "own-session",
  summary: "Branches of a session, newest first; `at` is where the session stands itself.",
  params: v.object({ session: SessionId, cursor: PageCursor, limit: Limit }),
  result: v.object({ ...pageSchema(Branch).entries, at: v.string() }),
  run: ({ session, ...page }, { store }) =>
    store.read(async (tx) => {
      const { items, next } = await branches.list(tx, session, pageOf(page));
      const leafId = (await sessions.find(tx, session))?.leafId;
      return { items: items.map(toBranch), next, at: leafId ?? "root" };
    }),
});

const restore = defineOperation({
  name: "branches.restore",
  http: "POST /api/sessions/:session/branches/:branch/restore",
  scope: "own-session",
  summary:
    "Goes back to a branch, to an entry, or to `root`; what is said next goes on from there. Where the session stood is kept as the branch `kept`. To say an earlier message in other words: restore its `parentId` (or `root`), then send.",
  params: v.object({ session: SessionId, branch: Point }),
  result: v.object({ at: v.string(), messages: v.number(), kept: v.optional(v.string()) }),
  run: ({ session, branch }, { store }) =>
    store.write(async (tx) => {
      // First, so that no turn begins behind the check.
      await sessions.hold(tx, session);
      await checkIdle(tx, session);
      const { depth, kept, ...place } = await branches.restore(tx, session, branch, Date.now());
      return { at: at(place), messages: depth, kept };
    }),
});

const Stretch = v.object({ entries: v.array(Entry), more: v.number() });

const Side = v.object({
  ...Stretch.entries,
  at: v.string(),
  messages: v.number(),
  toolCalls: v.number(),
  inputTokens: v.number(),
  outputTokens: v.number(),
  durationMs: v.number(),
  startedAt: v.optional(v.number()),
  endedAt: v.optional(v.number()),
});

const toStretch = ({ entries, more }: comparing.Stretch) => ({ entries: entries.map(toEntry), more });

const toSide = (side: comparing.Side): v.InferInput<typeof Side> => ({
  ...side,
  ...toStretch(side),
  at: at(side.place),
  messages: side.entries.length + side.more,
});

const compare = defineOperation({
  name: "branches.compare",
  http: "GET /api/sessions/:session/branches/compare",
  scope: "own-session",
  summary:
    "Two places side by side (a branch, an entry, `leaf` or `root`): what both have, then what each has alone. Of each the newest `limit` entries, oldest first, and how many `more` come before them; sessions.history with the `parentId` of the first of them as `cursor` reads on.",
  params: v.object({ session: SessionId, left: Point, right: v.optional(Point, "leaf"), limit: Limit }),
  result: v.object({ stem: Stretch, left: Side, right: Side }),
  run: ({ session: id, left, right, limit }, { store }) =>
    store.read(async (tx) => {
      const session = await sessions.find(tx, id);
      if (session === undefined) throw noSession(id);
      const found = await comparing.compare(tx, session, { left, right, limit });
      return { stem: toStretch(found.stem), left: toSide(found.left), right: toSide(found.right) };
    }),
});

const remove = defineOperation({
  name: "branches.delete",
  http: "DELETE /api/sessions/:session/branches/:branch",
  scope: "own-session",
  summary: "Forgets the name of a branch; its messages stay in the tree.",
  params: v.object({ session: SessionId, branch: branches.BranchName }),
  result: v.object({ deleted: v.boolean() }),
  run: ({ session, branch }, { store }) =>
    store.write(async (tx) => {
      await branches.remove(tx, session, branch);
      return { deleted: true };
    }),
});

export const branchOperations: readonly Operation[] = [create, list, restore, compare, remove];
