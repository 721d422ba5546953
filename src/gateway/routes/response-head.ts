import type { ResponseHead } from "./response-answer.ts";
import type { ResponseRequest } from "./response-request.ts";

const toolOf = (tool: ResponseRequest["tools"][number]) =>
  "function" in tool ? [{ type: "function", parameters: null, strict: null, ...tool.function }] : [];

/** What a response repeats of its request. Its id is the turn's. */
export function headOf(request: ResponseRequest, turnId: string, store: boolean): ResponseHead {
  const { text, tool_choice: choice } = request;
  const format = text?.format;
  return {
    id: `resp_${turnId}`,
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    background: false,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: request.model || "openclaw",
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    store,
    temperature: request.temperature ?? null,
    text: {
      format:
        format && "json_schema" in format
          ? { type: "json_schema", ...(format.json_schema as object) }
          : (format ?? { type: "text" }),
    },
    tool_choice:
      typeof choice === "object" && choice !== null && "function" in choice
        ? { type: "function", ...(choice.function as object) }
        : (choice ?? "auto"),
    tools: (request.tools ?? []).flatMap(toolOf),
    top_p: request.top_p ?? null,
    truncation: "disabled",
    user: request.user ?? null,
    metadata: request.metadata ?? {},
  };
}
