import { makeChannels } from "../channels/index.ts";
import type { ChannelFinding } from "../channels/channel.ts";
import type { Settings } from "../config/settings.ts";
import { openForReading } from "../store/open-for-reading.ts";
import { memoryStore } from "../store/open.ts";
import type { Finding } from "./check.ts";

/** Asks each channel that is on to look at itself from outside; nothing of it is started. */
export async function inspectChannels(settings: Settings, signal: AbortSignal): Promise<Finding> {
  const empty = await memoryStore();
  // What the server keeps is looked at, and what a channel would write goes nowhere.
  const kept = await openForReading(settings.store).catch(() => undefined);
  const store = { ...empty, ...(kept && { read: kept.read }) };
  try {
    const channels = await makeChannels(settings.channels, { store });
    if (channels.length === 0) return { state: "ok", text: "no channel is on" };
    const found: ChannelFinding[] = [];
    for (const channel of channels) {
      const findings = (await channel.check?.(signal)) ?? [];
      if (findings.length === 0) found.push({ state: "ok", text: `${channel.name} is on` });
      found.push(...findings);
    }
    const worst = (["fail", "warn"] as const).find((state) => found.some((each) => each.state === state));
    return { state: worst ?? "ok", text: found.map(({ text }) => text).join(" · ") };
  } finally {
    kept?.close();
    await empty.close();
  }
}
