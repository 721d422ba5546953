import type { TurnRequest } from "../../agent/turn.ts";
import { AppError } from "../../errors.ts";
import type { ToolOffer } from "../../llm/llm.ts";
import {
  assistantMessage,
  type Message,
  type ToolCall,
  toolMessage,
  userMessage,
} from "../../llm/message.ts";
import {
  type ChatMessage,
  type ChatRequest,
  type Content,
  type Part,
  parametersOf,
  textPart,
} from "./chat-request.ts";

export const textOf = (content: Content): string =>
  typeof content === "string"
    ? content
    : content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const toCall = ({
  id,
  function: { name, arguments: text },
}: Extract<ChatMessage, { role: "assistant" }>["tool_calls"][number]): ToolCall => ({
  id,
  name,
  arguments: isJsonObject(text) ? text : "{}",
});

/** A message of the client as one of a history; system texts go another way. */
function toMessage(message: ChatMessage): Message | undefined {
  if (message.role === "user") return userMessage(message.content);
  if (message.role === "assistant")
    return assistantMessage(
      textOf(message.content) || (message.refusal ?? ""),
      message.tool_calls.map(toCall),
    );
  if (message.role === "tool") return toolMessage(message.tool_call_id, textOf(message.content));
  return undefined;
}

/** The transcript of a request as the history of a turn that keeps nothing. */
export const transcriptOf = (messages: readonly ChatMessage[]): Message[] =>
  messages.flatMap((message) => toMessage(message) ?? []);

/** Throws `bad_request` for the result of a call that was not made before it, here or in what came before. */
export function checkResults(said: readonly Message[], before: readonly Message[], param: string): void {
  const calls = new Set(before.flatMap(({ role, callIds }) => (role === "assistant" ? callIds : [])));
  for (const { role, callIds } of said) {
    if (role === "assistant") for (const id of callIds) calls.add(id);
    const stray = role === "tool" ? callIds.find((id) => !calls.has(id)) : undefined;
    if (stray !== undefined)
      throw new AppError(
        "bad_request",
        `No call with the id ${stray.slice(0, 100)} came before its result.`,
        {
          param,
        },
      );
  }
}

export const lastUserText = (messages: readonly ChatMessage[]): string => {
  const last = messages.findLast((message) => message.role === "user");
  return last === undefined ? "" : textOf(last.content);
};

/** What a kept session has not seen yet: everything behind the last assistant message. */
export function newInput(messages: readonly ChatMessage[]) {
  const fresh = messages.slice(messages.findLastIndex((message) => message.role === "assistant") + 1);
  const said = fresh.flatMap((message) => (message.role === "user" ? [message.content] : []));
  const results = fresh.flatMap((message) =>
    message.role === "tool" ? [{ callId: message.tool_call_id, content: textOf(message.content) }] : [],
  );
  if (said.length === 0 && results.length === 0) {
    throw new AppError("bad_request", "Nothing follows the last assistant message: say something new.", {
      param: "messages",
    });
  }
  const isText = said.every((content) => typeof content === "string");
  const parts = said.flatMap((content): Part[] =>
    typeof content === "string" ? [textPart(content)] : content,
  );
  return {
    text: said.map(textOf).join("\n\n"),
    ...(!isText && { content: parts }),
    ...(results.length > 0 && { results }),
  };
}

function offersOf(tools: NonNullable<ChatRequest["tools"]>): ToolOffer[] {
  const offers = new Map<string, ToolOffer>();
  for (const tool of tools) {
    // Of a kind that we do not know: another server may, we leave it out.
    if (!("function" in tool)) continue;
    const { name } = tool.function;
    offers.set(name, { name, json: JSON.stringify(tool) });
  }
  return [...offers.values()];
}

/** What a request asks for beside its messages. */
export function turnRequestOf(request: ChatRequest, approver: TurnRequest["approver"]): TurnRequest {
  const { messages, model, tools, tool_choice: choice } = request;
  const system = messages.flatMap((message) =>
    message.role === "system" || message.role === "developer" ? [textOf(message.content)] : [],
  );
  const toolsOn = choice !== "none";
  const parameters = parametersOf(request);
  if (choice && toolsOn && choice !== "auto") parameters.tool_choice = choice;
  return {
    parameters,
    clientTools: toolsOn ? offersOf(tools) : [],
    clientSystem: system.filter((text) => text !== ""),
    toolsOn,
    approver,
    ...(model && model !== "openclaw" && { model }),
  };
}
