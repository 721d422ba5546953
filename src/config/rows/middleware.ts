import type { SettingRow } from "../setting-row.ts";
import { turnsAtOnce } from "../turns-at-once.ts";
import { namedCounts, prices, usd, whole } from "../values.ts";

export const middlewareRows = {
  turnsPerMinute: {
    env: "OPENCLAW_SESSION_RATE_PER_MINUTE",
    schema: whole(0),
    fallback: "0",
    doc: "Turns a minute and session; 0: no limit.",
    alias: ["OpenClaw__SessionRateLimitPerMinute"],
  },
  tokensPerSession: {
    env: "OPENCLAW_SESSION_TOKEN_BUDGET",
    schema: whole(0),
    fallback: "0",
    doc: "Tokens that a session may spend; 0: no limit.",
    alias: ["OpenClaw__SessionTokenBudget"],
  },
  tokensPerTurn: {
    env: "OPENCLAW_TURN_TOKEN_BUDGET",
    schema: whole(0),
    fallback: "0",
    doc: "Tokens that one turn may spend; 0: no limit.",
  },
  tokensPerDay: {
    env: "OPENCLAW_DAILY_TOKEN_BUDGET",
    schema: whole(0),
    fallback: "0",
    doc: "Tokens that all may spend together in a day (UTC); 0: no limit.",
  },
  costPerDay: {
    env: "OPENCLAW_DAILY_COST_BUDGET",
    schema: usd,
    fallback: "0",
    doc: "US dollars that all may spend together in a day (UTC), decimals allowed; 0: no limit.",
  },
  tokensPerName: {
    env: "OPENCLAW_NAME_TOKEN_BUDGETS",
    schema: namedCounts,
    fallback: "",
    doc: "Tokens that each may spend in a day (UTC), as name=tokens pairs separated by commas; the names are those of tokens, `operator` among them.",
  },
  prices: {
    env: "OPENCLAW_PRICES",
    schema: prices,
    fallback: "{}",
    doc: 'Prices in US dollars per million tokens, beside those that we know, as JSON: `{"model":{"input":2.5,"cached":1.25,"output":10}}`.',
  },
  contextTokens: {
    env: "OPENCLAW_CONTEXT_TOKENS",
    schema: whole(1000),
    fallback: "128000",
    doc: "Size of the model's context window; older messages beyond it are left out.",
  },
  maxConcurrentTurns: {
    env: "OPENCLAW_MAX_CONCURRENT_TURNS",
    schema: whole(1),
    fallback: turnsAtOnce,
    shown: "1000 with `BUN_CONFIG_MAX_HTTP_REQUESTS=2000`, else 240",
    doc: "Turns at once; others wait for a slot.",
    alias: ["OpenClaw__MaxConcurrentSessions"],
  },
  maxWaitingTurns: {
    env: "OPENCLAW_MAX_WAITING_TURNS",
    schema: whole(0),
    fallback: "1000",
    doc: "Turns that may wait for a slot; more are refused as busy.",
  },
  memoryMarkBytes: {
    env: "OPENCLAW_MEMORY_MARK_BYTES",
    schema: whole(0),
    doc: "Resident memory beyond which new turns are refused as busy while running ones go on; 0: no mark.",
    shown: "0.8 of the limit of the container, else of the host's memory",
  },
  maxWaitingPerSession: {
    env: "OPENCLAW_MAX_WAITING_PER_SESSION",
    schema: whole(0),
    fallback: "20",
    doc: "Turns that may wait behind another of the same session.",
  },
} as const satisfies Record<string, SettingRow>;
