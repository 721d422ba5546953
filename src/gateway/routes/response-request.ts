import * as v from "valibot";
import {
  by,
  ChatRequest,
  Content,
  FunctionTool,
  ImagePart,
  number,
  OtherPart,
  RefusalPart,
  TextPart,
  textOr,
  whole,
} from "./chat-request.ts";

const Part = by(
  "type",
  new Map<unknown, typeof TextPart | typeof ImagePart | typeof RefusalPart>([
    ["text", TextPart],
    ["input_text", TextPart],
    ["output_text", TextPart],
    ["input_image", ImagePart],
    ["image_url", ImagePart],
    ["refusal", RefusalPart],
  ]),
  OtherPart,
);
const ItemContent = textOr(v.array(Part));

const MessageItem = v.pipe(
  v.object({ role: v.picklist(["user", "assistant", "system", "developer"]), content: ItemContent }),
  v.transform((item) => ({ type: "message", ...item }) as const),
);
const CallItem = v.object({
  type: v.literal("function_call"),
  call_id: v.string(),
  name: v.string(),
  arguments: v.string(),
});
const OutputItem = v.object({
  type: v.literal("function_call_output"),
  call_id: v.string(),
  output: ItemContent,
});
/** What a reference points at is not kept by itself: left out silently, the model would answer as if it had not been said. */
const Reference = v.pipe(
  v.object({ type: v.literal("item_reference") }),
  v.check(() => false, "An item_reference cannot be followed: send the item, or previous_response_id."),
);
/** Reasoning comes back only for the model that thought it, and what other servers ran is theirs. */
const OtherItem = v.object({ type: v.string() });

type Known = typeof MessageItem | typeof CallItem | typeof OutputItem | typeof Reference;
const Item = by(
  "type",
  new Map<unknown, Known>([
    [undefined, MessageItem],
    ["message", MessageItem],
    ["function_call", CallItem],
    ["function_call_output", OutputItem],
    ["item_reference", Reference],
  ]),
  OtherItem,
);
export type Item = v.InferOutput<typeof Item>;

const FlatFunction = v.pipe(
  v.looseObject({ type: v.literal("function"), name: v.string() }),
  v.transform(({ type, ...fields }) => ({
    type,
    // Chat completions know no null here.
    function: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)),
  })),
  FunctionTool,
);
const Tool = by("type", new Map([["function", FlatFunction]]), v.object({ type: v.optional(v.string()) }));

const NamedFunction = v.pipe(
  v.object({ type: v.literal("function"), name: v.string() }),
  v.transform(({ name }) => ({ type: "function", function: { name } })),
);
const ToolChoice = v.nullish(
  v.union([
    v.string(),
    NamedFunction,
    v.pipe(
      v.looseObject({}),
      v.transform(() => undefined),
    ),
  ]),
);

const JsonSchema = v.pipe(
  v.looseObject({ type: v.literal("json_schema"), name: v.string() }),
  v.transform(({ type, ...json_schema }) => ({ type, json_schema })),
);
const Format = by("type", new Map([["json_schema", JsonSchema]]), v.looseObject({ type: v.string() }));

const notKept = (what: string) =>
  v.nullish(
    v.pipe(
      v.unknown(),
      v.check(() => false, what),
    ),
  );

/** `POST /v1/responses`. What we do not know is ignored; what would change who said what before is refused. */
export const ResponseRequest = v.object({
  model: v.nullish(v.string()),
  input: textOr(v.array(Item)),
  instructions: v.nullish(v.string()),
  previous_response_id: v.nullish(
    v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/, "This is not the id of a response.")),
  ),
  conversation: notKept("Conversations are not kept here: use previous_response_id."),
  prompt: notKept("Prompt templates are not kept here: send instructions and input."),
  store: v.nullish(v.boolean(), true),
  stream: v.nullish(v.boolean(), false),
  tools: v.nullish(v.pipe(v.array(Tool), v.maxLength(128)), []),
  tool_choice: ToolChoice,
  text: v.nullish(v.object({ format: v.nullish(Format), verbosity: v.nullish(v.string()) })),
  reasoning: v.nullish(v.object({ effort: v.nullish(v.string()) })),
  temperature: number,
  top_p: number,
  max_output_tokens: whole,
  parallel_tool_calls: v.nullish(v.boolean()),
  user: v.nullish(v.string()),
  metadata: v.nullish(v.record(v.string(), v.unknown())),
});
export type ResponseRequest = v.InferOutput<typeof ResponseRequest>;

type ChatMessages = ChatRequest["messages"];

/** The items as chat messages: calls that stand together are those of one answer. */
export function messagesOf(input: ResponseRequest["input"]): ChatMessages {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const messages: ChatMessages = [];
  for (const item of input) {
    if ("role" in item) {
      const { role, content } = item;
      messages.push(role === "assistant" ? { role, content, tool_calls: [] } : { role, content });
    } else if ("output" in item) {
      messages.push({ role: "tool", tool_call_id: item.call_id, content: item.output });
    } else if ("call_id" in item) {
      const call = { id: item.call_id, function: { name: item.name, arguments: item.arguments } };
      const last = messages.at(-1);
      if (last?.role === "assistant") last.tool_calls.push(call);
      else messages.push({ role: "assistant", content: "", tool_calls: [call] });
    }
  }
  return messages;
}

/** The request as one for a chat completion. */
export function toChatRequest(request: ResponseRequest): ChatRequest {
  const { text, reasoning, instructions } = request;
  const format = text?.format?.type === "text" ? undefined : text?.format;
  const system = instructions ? [{ role: "system" as const, content: instructions }] : [];
  return {
    model: request.model,
    messages: [...system, ...messagesOf(request.input)],
    stream: request.stream,
    tools: request.tools,
    tool_choice: request.tool_choice,
    temperature: request.temperature,
    top_p: request.top_p,
    max_completion_tokens: request.max_output_tokens,
    response_format: format,
    verbosity: text?.verbosity,
    reasoning_effort: reasoning?.effort,
    parallel_tool_calls: request.parallel_tool_calls,
    user: request.user,
  };
}
