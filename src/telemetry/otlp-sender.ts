import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "./otlp-packages.ts";

export interface SenderOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** How long a batch may take, with all its tries. */
  readonly timeoutMs: number;
}

/** Resolves when the collector has taken them; an error says why it has not. */
export type Send<Items> = (items: Items) => Promise<void>;

/** `ExportResultCode.SUCCESS` of the packages. */
const taken = 0;
/** The packages go by silence, so that a collector which dribbles could hold them for ever: after as much more it is let go. */
const graceMs = 1000;
/** Requests under way at a time. We make one after the other: more are such as were let go. */
const concurrencyLimit = 8;

const delegateOptions = ({ url, headers, gzip, timeoutMs }: SenderOptions) => ({
  url,
  // Anew for each request, as the packages write into it.
  headers: async () => ({ ...headers, "content-type": "application/x-protobuf" }),
  compression: gzip ? ("gzip" as const) : ("none" as const),
  timeoutMillis: timeoutMs,
  concurrencyLimit,
  agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
});

interface Delegate<Items> {
  export(items: Items, done: (result: { code: number; error?: Error }) => void): void;
}

const senderOf =
  <Items>(delegate: Delegate<Items>, { timeoutMs }: SenderOptions): Send<Items> =>
  (items) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    delegate.export(items, ({ code, error }) => {
      if (code === taken) resolve();
      else reject(error ?? new Error("It was not taken."));
    });
    const timer = setTimeout(() => reject(new Error("It took too long.")), timeoutMs + graceMs);
    timer.unref();
    return promise.finally(() => clearTimeout(timer));
  };

/** Encodes, compresses and posts spans, and tries again what may go better (429, 502, 503, 504, no connection). */
export const createSpanSender = (options: SenderOptions) =>
  senderOf(
    createOtlpHttpExportDelegate(
      delegateOptions(options),
      ProtobufTraceSerializer,
      "otlp_http_span_exporter",
      TraceExporterMetricsHelper,
      undefined,
    ),
    options,
  );

/** As `createSpanSender`, for log records. */
export const createLogSender = (options: SenderOptions) =>
  senderOf(
    createOtlpHttpExportDelegate(
      delegateOptions(options),
      ProtobufLogsSerializer,
      "otlp_http_log_exporter",
      LogsExporterMetricsHelper,
      undefined,
    ),
    options,
  );

/** As `createSpanSender`, for all metrics as they stand at one time. */
export const createMetricSender = (options: SenderOptions) =>
  senderOf(
    createOtlpHttpExportDelegate(
      delegateOptions(options),
      ProtobufMetricsSerializer,
      "otlp_http_metric_exporter",
      MetricsExporterMetricsHelper,
      undefined,
    ),
    options,
  );
