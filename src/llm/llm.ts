import type { Span } from "../telemetry/span.ts";
import type { AssistantMessage, Message, Usage } from "./message.ts";

/** A tool as it is offered to a model: `json` is the text of an OpenAI `tools` item. */
export interface ToolOffer {
  readonly name: string;
  readonly json: string;
}

/** On whose account a call is: what the ledger writes beside its tokens. */
export interface Account {
  readonly turnId: string;
  readonly sessionId?: string;
  readonly principal: string;
  readonly channel: string;
  /** Of a delegate: the turn whose call it works for, and the one at the top, whose budget it spends. */
  readonly parentTurnId?: string;
  readonly rootTurnId?: string;
}

/** What an answer that broke off had cost by then: as its provider told it, else as many bytes as had come. */
export interface Spent {
  readonly told?: Usage | undefined;
  readonly bytes: number;
}

export interface LlmRequest {
  /** An id of `/v1/models`; absent: the default model. */
  readonly model?: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolOffer[];
  /** Optional parameters by their OpenAI names (`temperature`, `stop`, `tool_choice`, …): only those that were set. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly account: Account;
  readonly signal: AbortSignal;
  /** What is left of the time for the call, where that is less than usual. */
  readonly timeoutMs?: number;
  /** Runs a wait before another try without holding a turn's slot. */
  readonly outsideSlot?: <T>(wait: () => Promise<T>) => Promise<T>;
  /** What this call is a part of. */
  readonly span?: Span;
  /** Called once, before the call ends, for an answer that began and broke off. */
  readonly onBreak?: (spent: Spent) => void;
}

export const finishReasons = ["stop", "length", "tool_calls", "content_filter"] as const;
export type FinishReason = (typeof finishReasons)[number];

export type LlmEvent =
  /** `logprobs` are those of its tokens as the provider tells them, where the client asked for them. */
  | { readonly type: "text"; readonly text: string; readonly logprobs?: readonly unknown[] }
  | { readonly type: "reasoning"; readonly text: string }
  | {
      readonly type: "status";
      readonly code: "retry" | "fallback" | "breaker";
      readonly text: string;
      readonly retryInMs?: number;
    }
  | {
      readonly type: "answer";
      readonly message: AssistantMessage;
      readonly finishReason: FinishReason;
      readonly usage: Usage;
      /** The model that answered, as the provider names it. */
      readonly model: string;
    };

/**
 * A model: yields deltas as they come and exactly one `answer`, the last event. Throws `AppError`
 * (`provider_error`, `provider_timeout`, `model_not_found`, `rate_limited`, `unavailable`, `cancelled`).
 */
export type Llm = (request: LlmRequest) => AsyncIterable<LlmEvent>;

export interface ModelInfo {
  readonly id: string;
  readonly provider: string;
}

/** What `/v1/models` and `/model` ask: the models on offer, the default one first. */
export interface Models {
  list(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /** Throws `model_not_found`, naming what there is, for an id that is not on offer. */
  check(id: string, signal: AbortSignal): Promise<void>;
}
