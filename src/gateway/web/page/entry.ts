import * as v from "valibot";

const Part = v.looseObject({ type: v.string(), text: v.optional(v.string()) });
const Content = v.nullish(v.union([v.string(), v.array(Part)]), "");
const Call = v.object({ id: v.string(), function: v.object({ name: v.string(), arguments: v.string() }) });
const Message = v.object({
  role: v.string(),
  content: Content,
  tool_calls: v.optional(v.array(Call), []),
  tool_call_id: v.optional(v.string()),
});

/** A message of the history. */
export const Entry = v.object({ id: v.string(), turnId: v.optional(v.string()), message: Message });
export type Entry = v.InferOutput<typeof Entry>;

export const textOf = (content: Entry["message"]["content"]): string =>
  typeof content === "string"
    ? content
    : content
        .map((part) => part.text ?? `[${part.type.replace(/^input_/, "").replace(/_url$/, "")}]`)
        .join("\n");
