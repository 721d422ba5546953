import type { Line } from "./log.ts";
import { type Origin, toAttributes, toHrTime } from "./otlp-origin.ts";
import { type ProtobufLogsSerializer, SeverityNumber, TraceFlags } from "./otlp-packages.ts";
import type { Attribute } from "./span.ts";

type ReadableLogRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};
const traceId = /^[0-9a-f]{32}$/;

const toAttribute = (value: unknown): Exclude<Attribute, readonly string[]> =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : (JSON.stringify(value) ?? "");

/** A line of ours as the SDK of OpenTelemetry would hold it. It is masked already. */
export function toLogRecord(origin: Origin, line: Line): ReadableLogRecord {
  const { trace, message, time: _time, level: _level, ...rest } = line.fields();
  const at = toHrTime(line.atMs);
  return {
    ...origin,
    hrTime: at,
    hrTimeObserved: at,
    severityNumber: severities[line.level],
    severityText: line.level.toUpperCase(),
    body: toAttribute(message),
    attributes: toAttributes(Object.entries(rest).map(([key, value]) => [key, toAttribute(value)] as const)),
    droppedAttributesCount: 0,
    // A line knows its trace, not its span.
    ...(typeof trace === "string" &&
      traceId.test(trace) && { spanContext: { traceId: trace, spanId: "", traceFlags: TraceFlags.NONE } }),
  };
}
