import { createCounter, createHistogram, type FamilyName, isCounting, type Reading } from "./instruments.ts";

/** What is counted from the start of the process, by the names that `/metrics` promises, and for Prometheus. */
const counted = {
  totalRequests: { name: "openclaw_requests_total", help: "HTTP requests." },
  totalTurns: { name: "openclaw_turns_total", help: "Turns that reached the agent." },
  totalFailedTurns: { name: "openclaw_turn_failures_total", help: "Turns of the agent that failed." },
  totalLlmCalls: { name: "openclaw_model_calls_total", help: "Calls of a model, each try on its own." },
  totalInputTokens: { name: "openclaw_input_tokens_total", help: "Tokens that models read." },
  totalOutputTokens: { name: "openclaw_output_tokens_total", help: "Tokens that models wrote." },
  totalToolCalls: { name: "openclaw_tool_calls_total", help: "Tool calls that came to a result." },
  totalToolFailures: { name: "openclaw_tool_failures_total", help: "Tool calls that failed or were denied." },
  totalToolTimeouts: { name: "openclaw_tool_timeouts_total", help: "Tool calls that took too long." },
  totalLlmRetries: { name: "openclaw_model_retries_total", help: "Model calls that were tried again." },
  totalLlmFallbacks: { name: "openclaw_model_fallbacks_total", help: "Times the next model was asked." },
  totalBreakerOpenings: { name: "openclaw_breaker_openings_total", help: "Times a breaker opened." },
  totalLlmErrors: { name: "openclaw_model_errors_total", help: "Calls of a model that failed." },
  totalApprovals: { name: "openclaw_approvals_total", help: "Approvals that were asked for." },
  totalSlowReaders: {
    name: "openclaw_slow_readers_total",
    help: "WebSockets closed for reading too slowly.",
  },
  totalDeliveries: { name: "openclaw_deliveries_total", help: "Pieces that were sent by a channel." },
  totalDeliveryFailures: {
    name: "openclaw_delivery_failures_total",
    help: "Tries to send a piece that failed.",
  },
  totalDeadDeliveries: { name: "openclaw_dead_deliveries_total", help: "Pieces that were given up." },
  totalPossibleDoubles: {
    name: "openclaw_possible_doubles_total",
    help: "Pieces sent again though they may have arrived.",
  },
  totalRefusedSenders: { name: "openclaw_refused_senders_total", help: "Messages of senders not admitted." },
  totalRefusedWebhooks: { name: "openclaw_refused_webhooks_total", help: "Webhooks that proved nothing." },
} as const satisfies Record<string, FamilyName>;

export type CounterName = keyof typeof counted;

const counterNames = Object.keys(counted) as CounterName[];
const counters = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<CounterName, number>;

export const count = (name: CounterName, by = 1) => {
  if (isCounting()) counters[name] += by;
};

/** A copy of all counters. */
export const readCounters = (): Readonly<Record<CounterName, number>> => ({ ...counters });

/** What is so now. `circuitBreakerState`: 0 when all are closed, 1 when one is open, 2 when one is being tried. */
const gauges = { circuitBreakerState: 0 };

export const setGauge = (name: keyof typeof gauges, value: number) => {
  gauges[name] = value;
};

/** A copy of all gauges. */
export const readGauges = (): Readonly<typeof gauges> => ({ ...gauges });

/** Upper ends in seconds: from what a cached answer takes to the longest turn. */
const long = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const short = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const delays = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const sizes = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

export const turnSeconds = createHistogram({
  name: "openclaw_turn_duration_seconds",
  help: "From the agent's begin to its end, waits for a person included.",
  labels: ["status"],
  bounds: long,
});
export const firstTokenSeconds = createHistogram({
  name: "openclaw_turn_first_token_seconds",
  help: "From the agent's begin to the first token of a turn.",
  bounds: short,
});
export const toolSeconds = createHistogram({
  name: "openclaw_tool_duration_seconds",
  help: "Tool calls by tool and status, without the wait for an approval.",
  labels: ["tool", "status"],
  bounds: short,
});
export const modelSeconds = createHistogram({
  name: "openclaw_model_call_duration_seconds",
  help: "Calls of a model, each try on its own; the status is ok or the code of the error.",
  labels: ["model", "status"],
  bounds: long,
});
export const modelFirstTokenSeconds = createHistogram({
  name: "openclaw_model_first_token_seconds",
  help: "From the call of a model to its first token.",
  labels: ["model"],
  bounds: short,
});
export const modelTokens = createCounter({
  name: "openclaw_model_tokens_total",
  help: "Tokens by model and direction: input, output, and what of them was cached or reasoning.",
  labels: ["model", "direction"],
});
export const callTokens = createHistogram({
  name: "openclaw_model_call_tokens",
  help: "Tokens of one call of a model by direction.",
  labels: ["model", "direction"],
  bounds: sizes,
});
export const loopDelaySeconds = createHistogram({
  name: "openclaw_event_loop_delay_seconds",
  help: "How late a timer of the event loop ran.",
  bounds: delays,
});
export const telemetryDropped = createCounter({
  name: "openclaw_telemetry_dropped_total",
  help: "Spans, log lines and metric batches that could not be handed to the collector.",
  labels: ["signal"],
});
export const telemetrySent = createCounter({
  name: "openclaw_telemetry_sent_total",
  help: "Spans, log lines and metric batches that the collector took.",
  labels: ["signal"],
});

/** Everything that is counted, as it stands now. */
export const readInstruments = (): readonly Reading[] => [
  ...counterNames.map((name): Reading => ({
    kind: "counter",
    labels: [],
    ...counted[name],
    values: [{ labels: [], value: counters[name] }],
  })),
  ...[
    turnSeconds,
    firstTokenSeconds,
    toolSeconds,
    modelSeconds,
    modelFirstTokenSeconds,
    modelTokens,
    callTokens,
    loopDelaySeconds,
    telemetryDropped,
    telemetrySent,
  ].map((instrument) => instrument.read()),
];
