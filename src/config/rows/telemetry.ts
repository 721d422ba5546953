import * as v from "valibot";
import { headers, levelsOf, pairs } from "../otel-values.ts";
import type { SettingRow } from "../setting-row.ts";
import { choice, flag, httpUrl, list, share, text, whole } from "../values.ts";

const exporter = choice(["otlp", "none"]);

export const telemetryRows = {
  logLevel: {
    env: "OPENCLAW_LOG_LEVEL",
    schema: levelsOf(["agent", "channels", "gateway", "llm", "sandbox", "scheduler", "store", "turns"]),
    fallback: "info",
    doc: "Least level that is logged to stderr; with areas on their own: `info,llm=debug`.",
  },
  traceContent: {
    env: "OPENCLAW_TRACE_CONTENT",
    schema: flag,
    fallback: "false",
    doc: "Puts what was said into the traces, secrets masked: messages, arguments and results of tools.",
  },
  endpoint: {
    env: "OTEL_EXPORTER_OTLP_ENDPOINT",
    schema: httpUrl,
    doc: "OpenTelemetry collector (OTLP over HTTP), such as `http://localhost:4318`. Without one nothing is sent.",
  },
  tracesEndpoint: {
    env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    schema: httpUrl,
    doc: "Where traces go instead, as a whole URL.",
  },
  metricsEndpoint: {
    env: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    schema: httpUrl,
    doc: "Where metrics go instead, as a whole URL.",
  },
  logsEndpoint: {
    env: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    schema: httpUrl,
    doc: "Where log lines go instead, as a whole URL.",
  },
  otlpHeaders: {
    env: "OTEL_EXPORTER_OTLP_HEADERS",
    schema: headers,
    fallback: "",
    secret: true,
    doc: "Headers for the collector: `name=value,…`.",
  },
  otlpProtocol: {
    env: "OTEL_EXPORTER_OTLP_PROTOCOL",
    schema: v.pipe(
      v.string(),
      v.trim(),
      v.literal("http/protobuf", "Expected http/protobuf, the one protocol that is spoken here"),
    ),
    fallback: "http/protobuf",
    doc: "How the collector is spoken to.",
  },
  otlpTimeoutMs: {
    env: "OTEL_EXPORTER_OTLP_TIMEOUT",
    schema: whole(1, 600_000),
    fallback: "10000",
    doc: "Milliseconds that one request to the collector may take.",
  },
  otlpCompression: {
    env: "OTEL_EXPORTER_OTLP_COMPRESSION",
    schema: choice(["none", "gzip"]),
    fallback: "none",
    doc: "Whether what is sent is compressed.",
  },
  serviceName: {
    env: "OTEL_SERVICE_NAME",
    schema: text,
    doc: "Name of this server in telemetry.",
    shown: "openclaw",
  },
  resourceAttributes: {
    env: "OTEL_RESOURCE_ATTRIBUTES",
    schema: pairs,
    fallback: "",
    doc: "More about this server: `deployment.environment.name=production,…`.",
  },
  sdkDisabled: {
    env: "OTEL_SDK_DISABLED",
    schema: flag,
    fallback: "false",
    doc: "Sends nothing, whatever else is set.",
  },
  tracesExporter: {
    env: "OTEL_TRACES_EXPORTER",
    schema: exporter,
    fallback: "otlp",
    doc: "`none`: no traces are sent.",
  },
  metricsExporter: {
    env: "OTEL_METRICS_EXPORTER",
    schema: exporter,
    fallback: "otlp",
    doc: "`none`: no metrics are sent.",
  },
  logsExporter: {
    env: "OTEL_LOGS_EXPORTER",
    schema: exporter,
    fallback: "otlp",
    doc: "`none`: no log lines are sent.",
  },
  sampler: {
    env: "OTEL_TRACES_SAMPLER",
    schema: choice([
      "always_on",
      "always_off",
      "traceidratio",
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
    ]),
    fallback: "parentbased_always_on",
    doc: "Which traces are kept.",
  },
  sampleRatio: {
    env: "OTEL_TRACES_SAMPLER_ARG",
    schema: share(1),
    fallback: "1",
    doc: "Share of the traces that the samplers named `traceidratio` keep.",
  },
  metricIntervalMs: {
    env: "OTEL_METRIC_EXPORT_INTERVAL",
    schema: whole(100, 86_400_000),
    fallback: "60000",
    doc: "Milliseconds from one sending of the metrics to the next.",
  },
  semconvOptIn: {
    env: "OTEL_SEMCONV_STABILITY_OPT_IN",
    schema: list,
    fallback: "",
    doc: "With `gen_ai_latest_experimental` metrics are not sent by their older GenAI names as well.",
  },
} as const satisfies Record<string, SettingRow>;
