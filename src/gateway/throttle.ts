import { AppError } from "../errors.ts";

export interface ThrottleOptions {
  readonly limit: number;
  readonly windowMs: number;
  /** Clients that are remembered; beyond that the oldest is forgotten. */
  readonly mostClients: number;
  readonly now: () => number;
}

export const wrongTokenLimits = { limit: 10, windowMs: 60_000, mostClients: 10_000, now: Date.now };

/** Counts the wrong tokens of each client; `wrong` throws `rate_limited` for one who sends too many. */
export function createThrottle({ limit, windowMs, mostClients, now }: ThrottleOptions) {
  const clients = new Map<string, { count: number; until: number }>();
  return {
    wrong(client: string): void {
      const seen = clients.get(client);
      const entry = seen !== undefined && seen.until > now() ? seen : { count: 0, until: now() + windowMs };
      entry.count++;
      if (entry !== seen) {
        clients.delete(client);
        clients.set(client, entry);
        const [oldest] = clients.keys();
        if (clients.size > mostClients && oldest !== undefined) clients.delete(oldest);
      }
      if (entry.count <= limit) return;
      throw new AppError(
        "rate_limited",
        "Too many wrong tokens from this address. Wait, then use the right one.",
        {
          retryAfterMs: entry.until - now(),
        },
      );
    },
  };
}
