import { count } from "../telemetry/metrics.ts";
import { inShort, mayGoElsewhere } from "./failures.ts";
import { eventsOf, handOver, type Opening, toFirstToken } from "./hand-over.ts";
import type { Llm, LlmRequest } from "./llm.ts";

/** Asks the next model where one has failed for good before its first token; the last failure is what the caller hears. */
export function withFallback(llm: Llm, models: readonly string[]): Llm {
  if (models.length === 0) return llm;
  async function* chain(request: LlmRequest): Opening {
    const next = models.filter((model) => model !== request.model);
    for (let asked = request, at = 0; ; at++) {
      try {
        return yield* toFirstToken(eventsOf(llm(asked)));
      } catch (error) {
        const model = next[at];
        if (model === undefined || request.signal.aborted || !mayGoElsewhere(error)) throw error;
        count("totalLlmFallbacks");
        yield { type: "status", code: "fallback", text: `${inShort(error)}, asking ${model} instead` };
        asked = { ...request, model };
      }
    }
  }
  return (request) => handOver(chain(request));
}
