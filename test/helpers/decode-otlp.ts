import { parse } from "protobufjs";
import * as v from "valibot";
import { otlpProto } from "./otlp-proto.ts";

/** OTLP requests as protobufjs decodes them: another reader than the writer of the packages. */
const root = parse(otlpProto, { keepCase: true }).root;

/** protobufjs hands bytes out as base64. */
const Hex = v.pipe(
  v.string(),
  v.transform((text) => Uint8Array.fromBase64(text).toHex()),
);
const Long = v.pipe(
  v.string(),
  v.transform((text) => BigInt(text)),
);
const Count = v.pipe(v.string(), v.transform(Number));
/** What is 0 is not in the bytes, and so not in what is decoded. */
const Zero = v.optional(Count, "0");

const Value = v.pipe(
  v.looseObject({
    string_value: v.optional(v.string()),
    bool_value: v.optional(v.boolean()),
    int_value: v.optional(Count),
    double_value: v.optional(v.number()),
    array_value: v.optional(v.object({ values: v.array(v.object({ string_value: v.string() })) })),
  }),
  v.transform(
    (value): unknown =>
      value.string_value ??
      value.bool_value ??
      value.int_value ??
      value.double_value ??
      value.array_value?.values.map((each) => each.string_value),
  ),
);
const Attributes = v.optional(
  v.pipe(
    v.array(v.object({ key: v.string(), value: Value })),
    v.transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value]))),
  ),
  [],
);
const Resource = v.object({ attributes: Attributes });

const Span = v.object({
  trace_id: Hex,
  span_id: Hex,
  parent_span_id: v.optional(Hex, ""),
  name: v.string(),
  kind: v.number(),
  start_time_unix_nano: Long,
  end_time_unix_nano: Long,
  attributes: Attributes,
  events: v.optional(v.array(v.object({ name: v.string(), attributes: Attributes })), []),
  dropped_events_count: v.optional(v.number(), 0),
  // Code 0 says nothing: it is as if there were none.
  status: v.pipe(
    v.optional(v.looseObject({ code: v.optional(v.number(), 0) })),
    v.transform((status) => (status?.code === 0 ? undefined : status)),
  ),
  flags: v.number(),
});
export type SeenSpan = v.InferOutput<typeof Span>;

const LogRecord = v.object({
  time_unix_nano: Long,
  severity_number: v.number(),
  severity_text: v.string(),
  body: Value,
  attributes: Attributes,
  trace_id: v.optional(Hex, ""),
});
export type SeenLog = v.InferOutput<typeof LogRecord>;

const NumberPoint = v.object({ attributes: Attributes, as_double: v.optional(v.number(), 0) });
const HistogramPoint = v.object({
  attributes: Attributes,
  count: Zero,
  sum: v.optional(v.number(), 0),
  bucket_counts: v.array(Count),
  explicit_bounds: v.array(v.number()),
});
const Metric = v.object({
  name: v.string(),
  description: v.string(),
  unit: v.string(),
  gauge: v.optional(v.object({ data_points: v.optional(v.array(NumberPoint), []) })),
  sum: v.optional(v.looseObject({ data_points: v.optional(v.array(NumberPoint), []) })),
  histogram: v.optional(v.looseObject({ data_points: v.optional(v.array(HistogramPoint), []) })),
});
export type SeenMetric = v.InferOutput<typeof Metric>;

const ExportTrace = v.object({
  resource_spans: v.array(
    v.object({ resource: Resource, scope_spans: v.array(v.looseObject({ spans: v.array(Span) })) }),
  ),
});
const ExportLogs = v.object({
  resource_logs: v.array(
    v.object({ resource: Resource, scope_logs: v.array(v.looseObject({ log_records: v.array(LogRecord) })) }),
  ),
});
const ExportMetrics = v.object({
  resource_metrics: v.array(
    v.object({ resource: Resource, scope_metrics: v.array(v.looseObject({ metrics: v.array(Metric) })) }),
  ),
});

function decode(message: string, bytes: Uint8Array): unknown {
  const type = root.lookupType(`otlp.${message}`);
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

export function decodeSpans(bytes: Uint8Array): SeenSpan[] {
  const { resource_spans } = v.parse(ExportTrace, decode("ExportTrace", bytes));
  return resource_spans.flatMap(({ scope_spans }) => scope_spans.flatMap(({ spans }) => spans));
}

export function decodeLogs(bytes: Uint8Array): SeenLog[] {
  const { resource_logs } = v.parse(ExportLogs, decode("ExportLogs", bytes));
  return resource_logs.flatMap(({ scope_logs }) => scope_logs.flatMap(({ log_records }) => log_records));
}

export function decodeMetrics(bytes: Uint8Array): SeenMetric[] {
  const { resource_metrics } = v.parse(ExportMetrics, decode("ExportMetrics", bytes));
  return resource_metrics.flatMap(({ scope_metrics }) => scope_metrics.flatMap(({ metrics }) => metrics));
}

/** The attributes of the resource that sent the spans. */
export const resourceOf = (bytes: Uint8Array) =>
  v.parse(ExportTrace, decode("ExportTrace", bytes)).resource_spans[0]?.resource.attributes;
