import * as v from "valibot";

const Branch = v.object({
  name: v.string(),
  messages: v.number(),
  /** Made by a restore, which keeps where the session stood. */
  kept: v.boolean(),
  createdAt: v.number(),
});
export type Branch = v.InferOutput<typeof Branch>;

/** A page of `branches.list`, the newest first. */
export const Branches = v.object({ items: v.array(Branch) });

/** The answer of `branches.restore`. */
export const Restored = v.object({ at: v.string() });
