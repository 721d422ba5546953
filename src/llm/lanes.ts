import { AppError } from "../errors.ts";
import { type BreakerState, createBreakers } from "./breaker.ts";
import { withBulkhead } from "./bulkhead.ts";
import { withFallback } from "./fallback.ts";
import { type Ledger, withLedger } from "./ledger.ts";
import type { Llm, ModelInfo, Models } from "./llm.ts";
import { checkOffered, createModels, type ProviderModels } from "./models.ts";
import { openAi } from "./openai.ts";
import type { Provider } from "./providers.ts";
import { withRetry } from "./retry.ts";

export interface LanesSettings {
  readonly retries: number;
  /** Models that are asked in turn when one has failed; `provider/model` for one of another provider. */
  readonly fallbackModels: readonly string[];
  readonly breakerThreshold: number;
  readonly breakerCooldownMs: number;
  /** Calls of one provider at once. */
  readonly maxConcurrent: number;
}

/** Every provider behind one `Llm` and one list of models. */
export interface Lanes {
  readonly llm: Llm;
  readonly models: Models;
  /** The tokens that a model's window holds, where that is known. */
  window(model: string | undefined, signal: AbortSignal): Promise<number | undefined>;
  breakers(): readonly BreakerState[];
}

interface Lane {
  readonly provider: Provider;
  readonly models: ProviderModels;
  readonly llm: Llm;
}

/** How long a call waits for a place among those of its provider. */
const placeWaitMs = 10_000;

/**
 * One lane for each provider. A model is named `provider/model`; without a provider's name before the slash it is one of
 * the first provider.
 */
export function createLanes(providers: readonly Provider[], ledger: Ledger, settings: LanesSettings): Lanes {
  const breakers = createBreakers({
    threshold: settings.breakerThreshold,
    cooldownMs: settings.breakerCooldownMs,
  });
  const lanes = providers.map((provider): Lane => {
    const { name, model, limits } = provider;
    const models = createModels(provider);
    const counted = withLedger(openAi(provider, models), ledger, provider);
    const bounded = withBulkhead(counted, name, { most: settings.maxConcurrent, waitMs: placeWaitMs });
    const tried = withRetry(bounded, { retries: settings.retries, totalMs: limits.totalMs });
    return { provider, models, llm: breakers.wrap(tried, name, model) };
  });
  const [main] = lanes;
  if (main === undefined) throw new AppError("internal", "There is no provider.");

  const route = (asked: string | undefined): { lane: Lane; model: string | undefined } => {
    const slash = asked?.indexOf("/") ?? -1;
    const name = slash < 1 ? undefined : asked?.slice(0, slash);
    const named = lanes.find(({ provider }) => provider.name === name);
    return named
      ? { lane: named, model: asked?.slice(slash + 1) || undefined }
      : { lane: main, model: asked };
  };

  const routed: Llm = (request) => {
    const { lane, model } = route(request.model);
    if (model === request.model) return lane.llm(request);
    const { model: _, ...rest } = request;
    return lane.llm(model === undefined ? rest : { ...rest, model });
  };

  /** What a lane offers, by the names that it has here. A named provider's models always have its name before them. */
  const offers = async (lane: Lane, signal: AbortSignal): Promise<readonly ModelInfo[]> => {
    const list = await lane.models.list(signal);
    return lane === main ? list : list.map((each) => ({ ...each, id: `${lane.provider.name}/${each.id}` }));
  };

  return {
    llm: withFallback(routed, settings.fallbackModels),
    models: {
      async list(signal) {
        const asked = await Promise.allSettled(lanes.map((lane) => offers(lane, signal)));
        const found = asked.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
        // One that is down does not hide the others; when all are, it is told why.
        const [first] = asked;
        if (found.length === 0 && first?.status === "rejected") throw first.reason;
        return found;
      },
      async check(id, signal) {
        const { lane, model = "" } = route(id);
        const ids = (await offers(lane, signal)).map((each) => each.id);
        checkOffered(lane === main ? model : id, ids);
      },
    },
    window(asked, signal) {
      const { lane, model } = route(asked);
      return lane.models.window(model, signal);
    },
    breakers: breakers.states,
  };
}
