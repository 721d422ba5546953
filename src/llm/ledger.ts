import { AppError } from "../errors.ts";
import { llmLog as log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import { createTokenEstimate } from "./bytes-per-token.ts";
import type { Account, Llm, LlmRequest, Spent } from "./llm.ts";
import { noUsage, type Usage } from "./message.ts";
import { startModelCall } from "./model-call.ts";
import type { ModelServer } from "./model-server.ts";

/** What a call took: `asked` is the model by the name that it was asked for. */
export interface Use {
  readonly model: string;
  readonly asked: string;
  readonly usage: Usage;
}

/** Where the tokens of every model call are written down. */
export interface Ledger {
  /** Absent while nothing is limited: then nothing is asked. */
  readonly budgets?: Budgets;
  record(account: Account, use: Use): Promise<void>;
}

/** Lets a reservation go: now if the call cost nothing, else when it is written down; until then `use` stands for it. */
export type Release = (written?: Promise<void>, use?: Use) => void;

export interface Budgets {
  /** Throws `budget_exceeded` when a budget that the account has to keep is spent. */
  check(account: Account): Promise<void>;
  /** Checks, and counts about so many tokens as spent until it is released. */
  reserve(account: Account, model: string, tokens: number): Promise<Release>;
  /** An answer to a call of this model had no known price. */
  noteUnpriced(model: string): void;
}

/**
 * The innermost wrapper of a model: each call that cost something is recorded once. One that was cut is estimated, and
 * booked on the default model when the request names none, because only an answer says which model it was.
 */
export function withLedger(
  llm: Llm,
  ledger: Ledger,
  server: ModelServer = { name: "unknown", model: "unknown" },
): Llm {
  const defaultModel = server.model ?? "unknown";
  const estimate = createTokenEstimate();
  return async function* withLedger(request) {
    if (request.signal.aborted) return yield* llm(request);
    const { account } = request;
    const asked = request.model ?? defaultModel;
    const expected = () => estimate.tokens(asked, inputBytes(request));
    const release = await ledger.budgets?.reserve(account, asked, expected());
    const call = startModelCall(request, asked, server);
    let settled = false;
    let heardBytes = 0;
    let spent: Spent | undefined;
    let fault: unknown;

    const settle = (model: string, usage: Usage) => {
      settled = true;
      call.took(usage);
      count("totalInputTokens", usage.inputTokens);
      count("totalOutputTokens", usage.outputTokens);
      // The answer does not wait for its bill; the next call that has to keep a budget does.
      const use = { model, asked, usage };
      const written = ledger.record(account, use).catch((error: unknown) => {
        log.error("The tokens of a model call could not be recorded.", { error, turnId: account.turnId });
      });
      release?.(written, use);
    };

    count("totalLlmCalls");
    try {
      for await (const event of llm({ ...call.request, onBreak: (known) => void (spent = known) })) {
        if (event.type === "answer") {
          call.answered(event);
          if (!event.usage.estimated) estimate.learn(asked, inputBytes(request), event.usage.inputTokens);
          settle(event.model, event.usage);
        } else if (event.type === "text" || event.type === "reasoning") {
          if (heardBytes === 0) call.begun();
          heardBytes += Buffer.byteLength(event.text);
        }
        yield event;
      }
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      if (fault !== undefined && codeOf(fault) !== "cancelled") count("totalLlmErrors");
      if (!settled && (spent || heardBytes > 0 || mayHaveWorked(fault))) {
        const outputTokens = estimate.tokens(asked, spent?.bytes ?? heardBytes);
        settle(asked, spent?.told ?? { ...noUsage, inputTokens: expected(), outputTokens, estimated: true });
      }
      if (!settled) release?.();
      call.end(fault);
    }
  };
}

const codeOf = (error: unknown) => (error instanceof AppError ? error.code : undefined);

/** A provider that was stopped before its first token, or broke off there, has read the request, and bills that. */
const mayHaveWorked = (fault: unknown) =>
  fault instanceof AppError &&
  (fault.code === "cancelled" || fault.code === "provider_timeout" || fault.upstream?.begun === true);

const encodedImage = /;base64,[A-Za-z0-9+/=]+/g;
/** As many tokens as providers count for a picture, about; its bytes say nothing of that. */
const bytesOfImage = ";base64,".padEnd(4000, "A");

/** The bytes of what the model reads: an image in the text counts as much as it does for a provider. */
const textBytes = (json: string) =>
  Buffer.byteLength(json.includes(";base64,") ? json.replace(encodedImage, bytesOfImage) : json);

const inputBytes = ({ messages, tools }: LlmRequest) => {
  let bytes = 0;
  for (const { json } of messages) bytes += textBytes(json);
  for (const { json } of tools) bytes += Buffer.byteLength(json);
  return bytes;
};
