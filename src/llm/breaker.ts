import type { CircuitBreakerPolicy } from "cockatiel";
import { AppError, cancelled } from "../errors.ts";
import { llmLog as log } from "../telemetry/log.ts";
import { count, setGauge } from "../telemetry/metrics.ts";
import { speaksAgainst } from "./failures.ts";
import { eventsOf, handOver, type Opening, toFirstToken, whenEnded } from "./hand-over.ts";
import type { Llm, LlmEvent, LlmRequest } from "./llm.ts";

export interface BreakerOptions {
  /** Final failures in a row that open a breaker; 0: none ever opens. */
  readonly threshold: number;
  readonly cooldownMs: number;
}

export interface BreakerState {
  readonly model: string;
  readonly state: "closed" | "open" | "half-open";
}

export interface Breakers {
  /** A breaker for each model of the provider; `defaultModel` is the one that is meant when none is named. */
  wrap(llm: Llm, provider: string, defaultModel?: string): Llm;
  /** Those models that have failed of late. */
  states(): readonly BreakerState[];
}

interface Breaker {
  readonly policy: CircuitBreakerPolicy;
  /** When it lets the next call through. */
  opensAgainAt: number;
}

/** Ends a call: without an error it went well. */
type Settle = (error?: unknown) => Promise<void>;

const stateNames: readonly BreakerState["state"][] = ["closed", "open", "half-open"];
const mostModels = 1000;
const statusOf = (text: string, retryInMs?: number): LlmEvent => ({
  type: "status",
  code: "breaker",
  text,
  ...(retryInMs !== undefined && { retryInMs }),
});

/**
 * Leaves a model alone for a while that has failed several times in a row; then one call tries whether it is back.
 * A model has a breaker from its first failure to its next success, so one that works costs nothing.
 */
export function createBreakers({ threshold, cooldownMs }: BreakerOptions): Breakers {
  const breakers = new Map<string, Breaker>();

  /** For `/metrics`: 0 while all are closed, 1 when one is open, 2 when one is being tried. */
  const show = () => {
    const states = [...breakers.values()].map(({ policy }) => policy.state);
    setGauge("circuitBreakerState", states.includes(1) ? 1 : states.includes(2) ? 2 : 0);
  };

  /** Loaded by the first failure. */
  async function create(key: string): Promise<Breaker> {
    // Not by the package's main file: of what that names and nobody uses, the build cannot tell that it is no import.
    const { circuitBreaker, handleAll } = await import("cockatiel/dist/Policy.js");
    const { ConsecutiveBreaker } = await import("cockatiel/dist/breaker/ConsecutiveBreaker.js");
    const known = breakers.get(key);
    if (known) return known;
    const policy = circuitBreaker(handleAll, {
      halfOpenAfter: cooldownMs,
      breaker: new ConsecutiveBreaker(threshold),
    });
    const breaker: Breaker = { policy, opensAgainAt: 0 };
    policy.onBreak(() => {
      breaker.opensAgainAt = Date.now() + cooldownMs;
      count("totalBreakerOpenings");
      log.warn(`${key} has failed too often and is left alone for ${cooldownMs / 1000} s.`);
    });
    policy.onReset(() => log.info(`${key} answers again.`));
    breakers.set(key, breaker);
    const [oldest] = breakers.keys();
    if (breakers.size > mostModels && oldest !== undefined) breakers.delete(oldest);
    return breaker;
  }

  async function note(key: string, error?: unknown): Promise<void> {
    const failed = error !== undefined && speaksAgainst(error);
    if (!failed) {
      // A refusal says nothing of the model's health; an answer says that it is well.
      if (error === undefined && breakers.get(key)?.policy.state === 0) breakers.delete(key);
      return;
    }
    const { policy } = breakers.get(key) ?? (await create(key));
    if (policy.state === 0) await policy.execute(() => Promise.reject(error)).catch(() => undefined);
    show();
  }

  /** Lets the one call through that finds out whether an open breaker's model is back, and refuses all others. */
  function probe(key: string, breaker: Breaker): Settle {
    const outcome = Promise.withResolvers<void>();
    let isAdmitted = false;
    const run = () => {
      isAdmitted = true;
      return outcome.promise;
    };
    const half = breaker.policy.state === 2;
    // Whoever is not let in would wait for the probe.
    const ran = half ? undefined : breaker.policy.execute(run).catch(() => undefined);
    if (!isAdmitted) throw leftAlone(key, half ? cooldownMs : breaker.opensAgainAt - Date.now());
    show();
    return async (error) => {
      // Whoever was cancelled or turned away before it asked has found out nothing: the next try comes after a pause.
      const isRefused =
        error instanceof AppError && error.upstream?.status !== undefined && !speaksAgainst(error);
      const isWell = error === undefined || isRefused;
      if (isWell) outcome.resolve();
      else outcome.reject(error);
      await ran;
      if (breaker.policy.state === 0) breakers.delete(key);
      show();
    };
  }

  async function* guarded(llm: Llm, key: string, request: LlmRequest): Opening {
    const breaker = breakers.get(key);
    const isProbe = breaker !== undefined && breaker.policy.state !== 0;
    const settle: Settle = isProbe ? probe(key, breaker) : (error) => note(key, error);
    let isHanded = false;
    try {
      if (isProbe) yield statusOf(`trying whether ${key} is back`);
      const handed = yield* toFirstToken(eventsOf(llm(request)));
      isHanded = true;
      return whenEnded(handed, (error) => void settle(error));
    } catch (error) {
      isHanded = true;
      await settle(error);
      const now = breakers.get(key);
      if (now?.policy.state === 1 && speaksAgainst(error))
        yield statusOf(
          `${key} has failed too often and is left alone for a while`,
          now.opensAgainAt - Date.now(),
        );
      throw error;
    } finally {
      if (!isHanded) await settle(cancelled());
    }
  }

  return {
    wrap(llm, provider, defaultModel = "default") {
      if (threshold === 0) return llm;
      return (request) => handOver(guarded(llm, `${provider}/${request.model ?? defaultModel}`, request));
    },
    states: () =>
      [...breakers].map(([model, { policy }]) => ({ model, state: stateNames[policy.state] ?? "open" })),
  };
}

const leftAlone = (key: string, ms: number) =>
  new AppError(
    "unavailable",
    `${key} has failed too often and is left alone for ${Math.max(1, Math.ceil(ms / 1000))} s (OPENCLAW_BREAKER_THRESHOLD, OPENCLAW_BREAKER_COOLDOWN_SECONDS).`,
    { retryAfterMs: Math.max(1000, ms) },
  );
