import { createExporter } from "./exporter.ts";
import { gather, type Gauge } from "./gather.ts";
import { type Line, mirrorLog } from "./log.ts";
import { hideSecrets } from "./mask.ts";
import { toLogRecord } from "./otlp-logs.ts";
import { type ResourceMetrics, sizeOfMetrics, toResourceMetrics } from "./otlp-metrics.ts";
import { createOrigin } from "./otlp-origin.ts";
import { createLogSender, createMetricSender, createSpanSender } from "./otlp-sender.ts";
import { toReadableSpan } from "./otlp-traces.ts";
import { createSampler, type SamplerName } from "./sampler.ts";
import { setTracing } from "./span.ts";
import { createTracer, type SpanRecord } from "./tracer.ts";

/** Where a signal goes, in full; absent: it goes nowhere. */
export interface OtlpTargets {
  readonly traces?: string | undefined;
  readonly metrics?: string | undefined;
  readonly logs?: string | undefined;
}

export interface OtlpOptions {
  readonly targets: OtlpTargets;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  readonly metricIntervalMs: number;
  readonly serviceName: string;
  readonly version: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  readonly sampleRatio: number;
  readonly traceContent: boolean;
  /** Metrics by the names of GenAI v1.41 as well. */
  readonly alsoOldNames: boolean;
  readonly gauges: readonly Gauge[];
}

export interface Otlp {
  /** Sends what is left, for `ms` at most. */
  stop(ms: number): Promise<void>;
}

const lineBytes = 200;

/** Spans, metrics and log lines go to a collector from here on (OTLP 1.x, protobuf over HTTP). */
export function startOtlp(options: OtlpOptions): Otlp {
  const { targets, headers, gzip, timeoutMs, gauges } = options;
  hideSecrets(Object.values(headers));
  const origin = createOrigin({
    "service.name": options.serviceName,
    "service.version": options.version,
    "service.instance.id": crypto.randomUUID(),
    "process.pid": process.pid,
    ...options.resourceAttributes,
  });
  const how = { headers, gzip, timeoutMs };
  const stops: ((signal: AbortSignal) => Promise<void>)[] = [];

  if (targets.traces !== undefined) {
    const post = createSpanSender({ ...how, url: targets.traces });
    const spans = createExporter<SpanRecord>({
      signal: "traces",
      send: (items) => post(items.map((item) => toReadableSpan(origin, item))),
      sizeOf: ({ size }) => size,
    });
    const sampler = createSampler(options.sampler, options.sampleRatio);
    setTracing(createTracer({ sampler, traceContent: options.traceContent, ended: spans.push }));
    stops.push((signal) => {
      setTracing(undefined);
      return spans.stop(signal);
    });
  }

  if (targets.logs !== undefined) {
    const post = createLogSender({ ...how, url: targets.logs });
    const lines = createExporter<Line>({
      signal: "logs",
      send: (items) => post(items.map((item) => toLogRecord(origin, item))),
      sizeOf: ({ json }) => json.length + lineBytes,
    });
    mirrorLog(lines.push);
    stops.push((signal) => {
      mirrorLog(undefined);
      return lines.stop(signal);
    });
  }

  if (targets.metrics !== undefined) {
    const startMs = Date.now();
    const post = createMetricSender({ ...how, url: targets.metrics });
    const batches = createExporter<ResourceMetrics>({
      signal: "metrics",
      // Each has all there is: of several that wait the last one is enough.
      async send(items) {
        const last = items.at(-1);
        if (last !== undefined) await post(last);
      },
      sizeOf: sizeOfMetrics,
      delayMs: 0,
    });
    const alsoOld = options.alsoOldNames;
    const send = async () => {
      const readings = await gather(gauges);
      batches.push(toResourceMetrics(origin, { readings, times: { startMs, nowMs: Date.now() }, alsoOld }));
    };
    const timer = setInterval(() => void send(), options.metricIntervalMs);
    timer.unref();
    stops.push(async (signal) => {
      clearInterval(timer);
      const late = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => late.resolve(), { once: true });
      if (!signal.aborted) await Promise.race([send(), late.promise]);
      await batches.stop(signal);
    });
  }

  return {
    async stop(ms) {
      const signal = AbortSignal.timeout(ms);
      await Promise.all(stops.map((stop) => stop(signal)));
    },
  };
}
