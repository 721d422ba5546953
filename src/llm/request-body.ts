import type { LlmRequest } from "./llm.ts";

/** Written by us, whatever a client asks for. */
const ours = new Set(["model", "messages", "tools", "stream", "stream_options", "n"]);
/** Refused by providers when no tools are offered. */
const aboutTools = new Set(["tool_choice", "parallel_tool_calls"]);

/** The JSON text of a streamed chat completion; messages and tools go in as the texts that they are. */
export function requestBody(model: string, { messages, tools, parameters }: LlmRequest): string {
  let body = `{"model":${JSON.stringify(model)},"messages":[${messages.map((message) => message.json).join(",")}]`;
  if (tools.length > 0) body += `,"tools":[${tools.map((tool) => tool.json).join(",")}]`;
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || ours.has(name) || (tools.length === 0 && aboutTools.has(name))) continue;
    body += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  return `${body},"stream":true,"stream_options":{"include_usage":true}}`;
}
