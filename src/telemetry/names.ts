/**
 * Names of spans and attributes, all of them here. `gen_ai.*` is semantic-conventions-genai v0.1.0, which is still being
 * developed; `openclaw.*` is ours.
 */
export const names = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  conversation: "gen_ai.conversation.id",
  agent: "gen_ai.agent.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cachedTokens: "gen_ai.usage.cache_read.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCall: "gen_ai.tool.call.id",
  // Contents, with OPENCLAW_TRACE_CONTENT alone.
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
  serverAddress: "server.address",
  serverPort: "server.port",
  errorType: "error.type",
  turn: "openclaw.turn.id",
  session: "openclaw.session.id",
  channel: "openclaw.channel",
  cause: "openclaw.turn.cause",
  job: "openclaw.job.id",
  webhook: "openclaw.webhook",
  resumed: "openclaw.turn.resumed",
  tokensEstimated: "openclaw.usage.estimated",
  firstTokenMs: "openclaw.first_token.ms",
  toolStatus: "openclaw.tool.status",
  reason: "openclaw.reason",
  text: "openclaw.text",
  retryInMs: "openclaw.retry_in.ms",
} as const;

/** A turn is `gateway …` → `turn` → `invoke_agent …` → `chat …` and `execute_tool …`, whose delegates begin anew at `gateway`. */
export const spanNames = {
  gateway: (channel: string) => `gateway ${channel}`,
  turn: "turn",
  agent: (agent: string) => `invoke_agent ${agent}`,
  chat: (model: string) => `chat ${model}`,
  tool: (tool: string) => `execute_tool ${tool}`,
} as const;
