import type { Settings } from "../config/settings.ts";
import { pending } from "../store/approvals.ts";
import { missedSince, upcoming } from "../store/job-outlook.ts";
import type { Finding } from "./check.ts";
import { readDatabase } from "./read-database.ts";

const dayMs = 86_400_000;
const mostShown = 3;

/** When jobs run next, and what was missed in the last day. */
export const inspectSchedule = (settings: Settings["store"], now = Date.now()) =>
  readDatabase(settings, async (tx): Promise<Finding> => {
    const next = await upcoming(tx, mostShown);
    const { missed, failed } = await missedSince(tx, now - dayMs);
    const shown = next.map(({ name, at }) => `${name} at ${new Date(at).toISOString()}`);
    const text = shown.length === 0 ? "no run is to come" : `next: ${shown.join(", ")}`;
    if (missed + failed === 0) return { state: "ok", text };
    return {
      state: "warn",
      text: `${text}; of the last day ${missed} runs were missed, and ${failed} failed`,
      fix: "GET /api/jobs/NAME/runs tells why. A server that is down misses what comes then: OPENCLAW_JOB_CATCH_UP_SECONDS.",
    };
  });

/** What waits for a person. */
export const inspectApprovals = (settings: Settings["store"]) =>
  readDatabase(settings, async (tx): Promise<Finding> => {
    const open = await pending(tx);
    const [oldest] = open;
    if (oldest === undefined) return { state: "ok", text: "nothing waits for a decision" };
    return {
      state: "ok",
      text: `${open.length} calls wait for a decision, the oldest since ${new Date(oldest.askedAt).toISOString()}`,
    };
  });
