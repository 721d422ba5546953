import type { LlmRequest } from "./llm.ts";
import type { Message } from "./message.ts";
import { withOpaque } from "./opaque.ts";
import { showPictures } from "./pictures.ts";
import { providerTable } from "./provider-table.ts";
import type { Provider } from "./providers.ts";
import type { Quirks } from "./quirks.ts";

/** Written by us, whatever a client asks for. */
const ours = new Set([
  "model",
  "messages",
  "tools",
  "stream",
  "stream_options",
  "n",
  "max_tokens",
  "max_completion_tokens",
]);
/** Refused by providers when no tools are offered. */
const aboutTools = new Set(["tool_choice", "parallel_tool_calls"]);

/** The JSON text of a streamed chat completion; messages and tools go in as the texts that they are. */
export function requestBody(
  provider: Pick<Provider, "kind" | "name">,
  model: string,
  { messages, tools: offered, parameters }: LlmRequest,
  quirks?: Quirks,
): string {
  const tools = quirks?.toolless ? [] : offered;
  const shown = showPictures(messages, !quirks?.pictureless);
  const text = ({ json, meta }: Message) =>
    meta === undefined ? json : withOpaque(json, meta, provider.name);
  let body = `{"model":${JSON.stringify(model)},"messages":[${shown.map(text).join(",")}]`;
  if (tools.length > 0) body += `,"tools":[${tools.map((tool) => tool.json).join(",")}]`;
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || ours.has(name) || (tools.length === 0 && aboutTools.has(name))) continue;
    if (!quirks?.refused.has(name)) body += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  const limit = parameters.max_completion_tokens ?? parameters.max_tokens;
  if (limit !== undefined && limit !== null) {
    const name = limitName(provider, quirks);
    if (name !== undefined) body += `,"${name}":${JSON.stringify(limit)}`;
  }
  const usage = quirks?.refused.has("stream_options") ? "" : `,"stream_options":{"include_usage":true}`;
  return `${body},"stream":true${usage}}`;
}

/** What the model calls the limit of a reply; undefined when it refuses both names. */
function limitName({ kind }: Pick<Provider, "kind">, quirks?: Quirks): string | undefined {
  const usual = providerTable[kind].limitName ?? "max_tokens";
  const other = usual === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  return [usual, other].find((name) => !quirks?.refused.has(name));
}
