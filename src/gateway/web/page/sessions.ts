import * as v from "valibot";

const Session = v.object({
  id: v.string(),
  updatedAt: v.optional(v.number(), 0),
  title: v.optional(v.string()),
});
export type Session = v.InferOutput<typeof Session>;

/** A page of `sessions.list`, the newest first. */
export const SessionPage = v.object({ items: v.array(Session), next: v.optional(v.string()) });
