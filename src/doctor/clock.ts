import { usesDemo } from "../config/exposure.ts";
import type { Settings } from "../config/settings.ts";
import { inferProviders } from "../llm/providers.ts";
import type { Finding } from "./check.ts";

const mostMs = 60_000;
const timeoutMs = 5000;

/** How far this clock is from the provider's; jobs, signatures of webhooks and tokens need a right one. */
export async function inspectClock(settings: Settings, now: () => number = Date.now): Promise<Finding> {
  if (usesDemo(settings.llm))
    return { state: "ok", text: `${new Date(now()).toISOString()}; there is nobody to compare it with` };
  const [provider] = inferProviders(settings.llm);
  const began = now();
  // Any answer tells the time, a refusal too: no key is shown.
  const answer = await fetch(provider.endpoint, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => undefined);
  const date = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(date)) return { state: "ok", text: `${provider.name} does not tell the time` };
  // The header has whole seconds, and was written while we waited.
  const off = Math.round((date + 500 - (began + now()) / 2) / 1000);
  const text = `${Math.abs(off)} s ${off > 0 ? "behind" : "before"} the clock of ${provider.name}`;
  if (Math.abs(off) * 1000 <= mostMs) return { state: "ok", text };
  return { state: "warn", text, fix: "Set the clock of this host, for example by NTP." };
}
