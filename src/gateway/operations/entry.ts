import * as v from "valibot";
import type * as sessions from "../../store/sessions.ts";

/** An entry of a session as clients see it. */
export const Entry = v.object({
  id: v.string(),
  parentId: v.optional(v.string()),
  turnId: v.optional(v.string()),
  createdAt: v.number(),
  /** The chat message, as OpenAI has it. */
  message: v.looseObject({ role: v.string() }),
});

/** The stored bytes are of our own making; the schema of the operation looks at what comes of them. */
export const toEntry = ({
  id,
  parentId,
  turnId,
  createdAt,
  message,
}: sessions.Entry): v.InferInput<typeof Entry> => ({
  id,
  parentId,
  turnId,
  createdAt,
  message: JSON.parse(message.json),
});
