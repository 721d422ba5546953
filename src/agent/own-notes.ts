import type { CanNotes } from "../sandbox/capabilities.ts";
import * as notes from "../store/notes.ts";
import type { Store } from "../store/open.ts";

/** The notes of one owner, as tools are lent them. */
export const ownNotes = (store: Store, owner: string): CanNotes => ({
  get: (key) => store.read((tx) => notes.get(tx, owner, key)),
  put: (key, content) => store.write((tx) => notes.put(tx, owner, { key, content, now: Date.now() })),
  remove: (key) => store.write((tx) => notes.remove(tx, owner, key)),
  list: async (limit) => (await store.read((tx) => notes.list(tx, owner, { limit }))).items,
  search: (query, options) => store.read((tx) => notes.search(tx, owner, query, options)),
});
