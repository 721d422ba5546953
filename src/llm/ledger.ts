import { AppError } from "../errors.ts";
import { log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import type { Account, Llm, LlmRequest } from "./llm.ts";
import type { Usage } from "./message.ts";
import { estimatedUsage } from "./usage.ts";

/** Where the tokens of every model call are written down. */
export interface Ledger {
  record(account: Account, use: { readonly model: string; readonly usage: Usage }): Promise<void>;
  /** Tokens that a session has spent, in and out. */
  spent(query: { readonly session: string }): Promise<number>;
}

/**
 * The innermost wrapper of a model: each call that cost something is recorded once. One that was cut is estimated, and
 * booked on `defaultModel` when the request names none, because only an answer says which model it was.
 */
export const withLedger = (llm: Llm, ledger: Ledger, defaultModel = "unknown"): Llm =>
  async function* withLedger(request) {
    if (request.signal.aborted) return yield* llm(request);
    let settled = false;
    let heardBytes = 0;
    let fault: unknown;

    const settle = (model: string, usage: Usage) => {
      settled = true;
      count("totalInputTokens", usage.inputTokens);
      count("totalOutputTokens", usage.outputTokens);
      // The answer does not wait for its bill.
      ledger.record(request.account, { model, usage }).catch((error: unknown) => {
        log.error("The tokens of a model call could not be recorded.", {
          error,
          turnId: request.account.turnId,
        });
      });
    };

    count("totalLlmCalls");
    try {
      for await (const event of llm(request)) {
        if (event.type === "answer") settle(event.model, event.usage);
        else if (event.type === "text" || event.type === "reasoning")
          heardBytes += Buffer.byteLength(event.text);
        yield event;
      }
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      if (fault !== undefined && codeOf(fault) !== "cancelled") count("totalLlmErrors");
      if (!settled && (heardBytes > 0 || mayHaveWorked(fault))) {
        settle(request.model ?? defaultModel, estimatedUsage(inputBytes(request), heardBytes));
      }
    }
  };

const codeOf = (error: unknown) => (error instanceof AppError ? error.code : undefined);

/** A provider that was stopped before its first token has read the request, and bills that. */
const mayHaveWorked = (fault: unknown) =>
  codeOf(fault) === "cancelled" || codeOf(fault) === "provider_timeout";

const inputBytes = ({ messages, tools }: LlmRequest) =>
  [...messages, ...tools].reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
