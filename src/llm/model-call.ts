import { AppError } from "../errors.ts";
import { callTokens, modelFirstTokenSeconds, modelSeconds, modelTokens } from "../telemetry/metrics.ts";
import { names, spanNames } from "../telemetry/names.ts";
import type { LlmEvent, LlmRequest } from "./llm.ts";
import type { Usage } from "./message.ts";
import { type ModelServer, serverAttributes } from "./model-server.ts";

type Answer = Extract<LlmEvent, { type: "answer" }>;

/** One call of a model as it is seen from outside: a span, where the turn has one, and figures. */
export interface ModelCall {
  /** What to send: the model's server goes on with the trace. */
  readonly request: LlmRequest;
  /** The first token came. */
  begun(): void;
  answered(answer: Answer): void;
  /** What is written down for it, also of one that was cut. */
  took(usage: Usage): void;
  end(fault: unknown): void;
}

const faultOf = (fault: unknown) =>
  fault === undefined ? undefined : fault instanceof AppError ? fault.code : "internal";

/** Names come from clients: one that never answered is no label, unless it is the one that was set. */
const labelOf = (asked: string, server: ModelServer) =>
  asked === server.model || modelFirstTokenSeconds.knows(asked) ? asked : "other";

/** Begins to watch a call of the model that is `asked`. */
export function startModelCall(request: LlmRequest, asked: string, server: ModelServer): ModelCall {
  const start = performance.now();
  const span = request.span?.child(spanNames.chat(asked), "client", {
    [names.operation]: "chat",
    [names.requestModel]: asked,
    [names.conversation]: request.account.sessionId,
    ...serverAttributes(server),
  });
  span?.content(names.inputMessages, () => `[${request.messages.map(({ json }) => json).join(",")}]`);
  let firstMs: number | undefined;
  let isAnswered = false;
  return {
    request: span === undefined ? request : { ...request, span },
    begun() {
      if (firstMs !== undefined) return;
      firstMs = performance.now() - start;
      span?.set({ [names.firstTokenMs]: firstMs });
    },
    answered({ message, finishReason, model }) {
      isAnswered = true;
      modelFirstTokenSeconds.observe((firstMs ?? performance.now() - start) / 1000, asked);
      span?.set({ [names.responseModel]: model, [names.finishReasons]: [finishReason] });
      span?.content(names.outputMessages, () => `[${message.json}]`);
    },
    took({ inputTokens, outputTokens, cachedTokens, reasoningTokens, estimated }) {
      const model = isAnswered ? asked : labelOf(asked, server);
      modelTokens.add(inputTokens, model, "input");
      modelTokens.add(outputTokens, model, "output");
      modelTokens.add(cachedTokens, model, "cached");
      modelTokens.add(reasoningTokens, model, "reasoning");
      callTokens.observe(inputTokens, model, "input");
      callTokens.observe(outputTokens, model, "output");
      span?.set({
        [names.inputTokens]: inputTokens,
        [names.outputTokens]: outputTokens,
        [names.cachedTokens]: cachedTokens || undefined,
        [names.reasoningTokens]: reasoningTokens || undefined,
        [names.tokensEstimated]: estimated || undefined,
      });
    },
    end(fault) {
      const code = faultOf(fault) ?? (isAnswered ? undefined : "cancelled");
      const model = isAnswered ? asked : labelOf(asked, server);
      modelSeconds.observe((performance.now() - start) / 1000, model, code ?? "ok");
      span?.end(code);
    },
  };
}
