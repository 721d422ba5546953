/** What we use of OpenTelemetry, in one file: the build packs it as a whole (scripts/whole-modules.ts). */
export { SpanKind, SpanStatusCode, TraceFlags, ValueType } from "@opentelemetry/api";
export { SeverityNumber } from "@opentelemetry/api-logs";
// What OTLPTraceExporter and its like are made of: their constructors read the environment, which is for `config` alone.
export {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from "@opentelemetry/otlp-exporter-base/node-http";
export {
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "@opentelemetry/otlp-transformer";
export { resourceFromAttributes } from "@opentelemetry/resources";
export { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
