import * as v from "valibot";

/** A schema that is chosen by what stands in one field; what the choice does not know is left to `other`. */
export const by = <
  Known extends v.GenericSchema<unknown, unknown>,
  Other extends v.GenericSchema<unknown, unknown>,
>(
  field: string,
  known: ReadonlyMap<unknown, Known>,
  other: Other,
) =>
  v.lazy((input): Known | Other => {
    const value =
      typeof input === "object" && input !== null && field in input ? Reflect.get(input, field) : undefined;
    return known.get(value) ?? other;
  });

/** A text, or else what `items` says: chosen first, so that a refusal names what is wrong in the items. */
export const textOr = <Items extends v.GenericSchema<unknown, unknown>>(items: Items) =>
  v.lazy((input): v.StringSchema<undefined> | Items => (typeof input === "string" ? v.string() : items));

const Url = v.pipe(
  v.string(),
  v.regex(/^(https:|data:)/i, "An image is an https: or data: URL; others are not passed on."),
);
const Detail = v.nullish(v.picklist(["auto", "low", "high"]));

export const textPart = (text: string) => ({ type: "text", text }) as const;
const imagePart = (url: string, detail: v.InferOutput<typeof Detail>) =>
  ({ type: "image_url", image_url: { url, ...(detail && { detail }) } }) as const;

export const TextPart = v.pipe(
  v.object({ text: v.string() }),
  v.transform(({ text }) => textPart(text)),
);
export const ImagePart = v.pipe(
  v.object({ image_url: v.union([Url, v.object({ url: Url, detail: Detail })]), detail: Detail }),
  v.transform(({ image_url, detail }) =>
    typeof image_url === "string" ? imagePart(image_url, detail) : imagePart(image_url.url, image_url.detail),
  ),
);
/** What the assistant said when it would not answer. */
export const RefusalPart = v.pipe(
  v.object({ refusal: v.string() }),
  v.transform(({ refusal }) => textPart(refusal)),
);
/** Told to the model, so that it does not answer as if there had been nothing. */
export const OtherPart = v.pipe(
  v.object({ type: v.string() }),
  v.transform(({ type }) =>
    textPart(`[A part of type ${type.slice(0, 40)} was left out: only text and images are read.]`),
  ),
);

const Part = by(
  "type",
  new Map<unknown, typeof TextPart | typeof ImagePart | typeof RefusalPart>([
    ["text", TextPart],
    ["input_text", TextPart],
    ["image_url", ImagePart],
    ["input_image", ImagePart],
    ["refusal", RefusalPart],
  ]),
  OtherPart,
);
export type Part = ReturnType<typeof textPart> | ReturnType<typeof imagePart>;

export const Content = v.nullish(textOr(v.array(Part)), "");
export type Content = string | Part[];

const Call = v.object({
  id: v.string(),
  function: v.object({ name: v.string(), arguments: v.string() }),
});

export const ChatMessage = v.variant("role", [
  v.object({ role: v.picklist(["system", "developer"]), content: Content }),
  v.object({ role: v.literal("user"), content: Content }),
  v.object({
    role: v.literal("assistant"),
    content: Content,
    refusal: v.nullish(v.string()),
    tool_calls: v.nullish(v.array(Call), []),
  }),
  v.object({ role: v.literal("tool"), content: Content, tool_call_id: v.string() }),
]);
export type ChatMessage = v.InferOutput<typeof ChatMessage>;

export const FunctionTool = v.object({
  type: v.literal("function"),
  function: v.looseObject({
    name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, "A tool's name is 1 to 64 of A-Z a-z 0-9 _ -")),
  }),
});
const Tool = by("type", new Map([["function", FunctionTool]]), v.object({ type: v.optional(v.string()) }));

export const number = v.nullish(v.number());
export const whole = v.nullish(v.pipe(v.number(), v.integer()));

/** Parameters that reach the model under their own names when they are set. */
const passedOn = {
  temperature: number,
  top_p: number,
  max_tokens: whole,
  max_completion_tokens: whole,
  stop: v.nullish(v.union([v.string(), v.array(v.string())])),
  seed: whole,
  response_format: v.nullish(v.looseObject({ type: v.string() })),
  reasoning_effort: v.nullish(v.string()),
  verbosity: v.nullish(v.string()),
  frequency_penalty: number,
  presence_penalty: number,
  logprobs: v.nullish(v.boolean()),
  top_logprobs: whole,
  parallel_tool_calls: v.nullish(v.boolean()),
  user: v.nullish(v.string()),
};

export const ChatRequest = v.object({
  model: v.nullish(v.string()),
  messages: v.pipe(v.array(ChatMessage), v.minLength(1, "At least one message is needed.")),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean(), false) })),
  n: v.nullish(v.literal(1, "Only one answer at a time: leave `n` out.")),
  tools: v.nullish(v.pipe(v.array(Tool), v.maxLength(128)), []),
  tool_choice: v.nullish(v.union([v.string(), v.looseObject({})])),
  ...passedOn,
});
export type ChatRequest = v.InferOutput<typeof ChatRequest>;

/** Parameters that reach the model, as far as they are set. */
export type PassedOn = { readonly [Name in keyof typeof passedOn]?: ChatRequest[Name] };

/** Those of the parameters that the client has set. */
export const parametersOf = (request: PassedOn): Record<string, unknown> => {
  const set: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) {
    if (name in passedOn && value !== null && value !== undefined) set[name] = value;
  }
  return set;
};
