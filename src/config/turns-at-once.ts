import type { Environment } from "./setting-row.ts";

const wanted = 1000;
/** Requests of one process that Bun lets out at once; others wait inside of it, unseen, while our time-outs run. */
const bunsLimit = 256;
/** Of these, what is left for everything that is no call of a turn to its model. */
const otherRequests = 16;

/** The turns at once where none are set: no more than this process may have model calls in flight. */
export function turnsAtOnce({ BUN_CONFIG_MAX_HTTP_REQUESTS: limit }: Environment): string {
  const requests = /^[1-9]\d*$/.test(limit ?? "") ? Number(limit) : bunsLimit;
  return `${Math.min(wanted, Math.max(1, requests - otherRequests))}`;
}
