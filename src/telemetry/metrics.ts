/** Counters since the start of the process, by the names that `/metrics` promises. */
const counters = {
  totalRequests: 0,
  totalTurns: 0,
  totalFailedTurns: 0,
  totalLlmCalls: 0,
  totalInputTokens: 0,
  totalOutputTokens: 0,
  totalToolCalls: 0,
  totalToolFailures: 0,
  totalToolTimeouts: 0,
  totalLlmRetries: 0,
  totalLlmFallbacks: 0,
  totalBreakerOpenings: 0,
  totalLlmErrors: 0,
  totalApprovals: 0,
  totalSlowReaders: 0,
  totalDeliveries: 0,
  totalDeliveryFailures: 0,
  totalDeadDeliveries: 0,
  totalPossibleDoubles: 0,
  totalRefusedSenders: 0,
  totalRefusedWebhooks: 0,
};

export type CounterName = keyof typeof counters;

export const count = (name: CounterName, by = 1) => {
  counters[name] += by;
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
