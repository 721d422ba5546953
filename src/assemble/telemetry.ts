import type { Settings } from "../config/settings.ts";
import type { Gauge } from "../telemetry/gather.ts";
import { watchLoopDelay } from "../telemetry/loop-delay.ts";
import type { Otlp, OtlpTargets } from "../telemetry/otlp.ts";

/** What sending the rest may take at a stop, in all. */
const flushMs = 1500;
const defaultName = "openclaw";

export type TelemetrySettings = Settings["telemetry"];

/** Where each signal goes, as OpenTelemetry derives it; undefined when none goes anywhere. */
export function otlpTargets(settings: TelemetrySettings): OtlpTargets | undefined {
  if (settings.sdkDisabled) return undefined;
  const to = (exporter: "otlp" | "none", own: string | undefined, path: string) => {
    if (exporter === "none") return undefined;
    return own ?? (settings.endpoint === undefined ? undefined : `${settings.endpoint}/v1/${path}`);
  };
  const targets = {
    traces: to(settings.tracesExporter, settings.tracesEndpoint, "traces"),
    metrics: to(settings.metricsExporter, settings.metricsEndpoint, "metrics"),
    logs: to(settings.logsExporter, settings.logsEndpoint, "logs"),
  };
  return Object.values(targets).some((target) => target !== undefined) ? targets : undefined;
}

/** Begins to watch this process, and to tell a collector where one is set; nothing of that is loaded otherwise. */
export async function startTelemetry(
  settings: TelemetrySettings,
  { version, gauges }: { version: string; gauges: readonly Gauge[] },
): Promise<{ stop(): Promise<void> }> {
  const targets = otlpTargets(settings);
  let otlp: Otlp | undefined;
  if (targets !== undefined) {
    const { startOtlp } = await import("../telemetry/otlp.ts");
    const { "service.name": named, ...resourceAttributes } = settings.resourceAttributes;
    otlp = startOtlp({
      targets,
      headers: settings.otlpHeaders,
      gzip: settings.otlpCompression === "gzip",
      timeoutMs: settings.otlpTimeoutMs,
      metricIntervalMs: settings.metricIntervalMs,
      serviceName: settings.serviceName ?? named ?? defaultName,
      version,
      resourceAttributes,
      sampler: settings.sampler,
      sampleRatio: settings.sampleRatio,
      traceContent: settings.traceContent,
      alsoOldNames: !settings.semconvOptIn.includes("gen_ai_latest_experimental"),
      gauges,
    });
  }
  const stopWatching = watchLoopDelay();
  return {
    async stop() {
      stopWatching();
      await otlp?.stop(flushMs);
    },
  };
}
