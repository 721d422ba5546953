import * as v from "valibot";
import { AppError } from "../../errors.ts";
import * as notes from "../../store/notes.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const Key = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const Owner = v.optional(v.pipe(v.string(), v.maxLength(256)), "operator");
const Note = v.object({ key: v.string(), content: v.string(), updatedAt: v.number() });

const list = defineOperation({
  name: "notes.list",
  http: "GET /api/notes",
  scope: "operator",
  summary: "Notes by key: the operator's own, or those of another `owner`.",
  params: v.object({ owner: Owner, cursor: PageCursor, limit: Limit }),
  result: pageSchema(Note),
  run: ({ owner, ...page }, { store }) => store.read((tx) => notes.list(tx, owner, pageOf(page))),
});

const search = defineOperation({
  name: "notes.search",
  http: "GET /api/notes/search",
  scope: "operator",
  summary: "Notes with words of a text in them, best first.",
  params: v.object({ owner: Owner, query: v.string(), prefix: v.optional(v.string(), ""), limit: Limit }),
  result: v.object({ items: v.array(Note) }),
  run: async ({ owner, query, prefix, limit }, { store }) => ({
    items: await store.read((tx) => notes.search(tx, owner, query, { prefix, limit })),
  }),
});

const noNote = (key: string) => new AppError("not_found", `No note found for key: ${key}`);

const get = defineOperation({
  name: "notes.get",
  http: "GET /api/notes/:key",
  scope: "operator",
  summary: "One note.",
  params: v.object({ owner: Owner, key: Key }),
  result: Note,
  async run({ owner, key }, { store }) {
    const note = await store.read((tx) => notes.get(tx, owner, key));
    if (note === undefined) throw noNote(key);
    return note;
  },
});

const put = defineOperation({
  name: "notes.put",
  http: "PUT /api/notes/:key",
  scope: "operator",
  summary: "Writes a note, or writes it anew.",
  params: v.object({ owner: Owner, key: Key, content: v.string() }),
  result: v.object({ key: v.string() }),
  async run({ owner, key, content }, { store }) {
    await store.write((tx) => notes.put(tx, owner, { key, content, now: Date.now() }));
    return { key };
  },
});

const remove = defineOperation({
  name: "notes.delete",
  http: "DELETE /api/notes/:key",
  scope: "operator",
  summary: "Deletes a note.",
  params: v.object({ owner: Owner, key: Key }),
  result: v.object({ deleted: v.boolean() }),
  async run({ owner, key }, { store }) {
    if (!(await store.write((tx) => notes.remove(tx, owner, key)))) throw noNote(key);
    return { deleted: true };
  },
});

export const noteOperations: readonly Operation[] = [list, search, get, put, remove];
