import { genAiReadings, type OtlpReading } from "./gen-ai-metrics.ts";
import type { Reading } from "./instruments.ts";
import { type Origin, toAttributes, toHrTime } from "./otlp-origin.ts";
import {
  AggregationTemporality,
  DataPointType,
  type ProtobufMetricsSerializer,
  ValueType,
} from "./otlp-packages.ts";

export type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
type MetricData = ResourceMetrics["scopeMetrics"][number]["metrics"][number];

const unitOf = (name: string) =>
  /_seconds(?:_total)?$/.test(name) ? "s" : /_bytes$/.test(name) ? "By" : "1";
/** `openclaw_turn_duration_seconds` is `openclaw.turn.duration` there, with its unit beside it. */
const nameOf = (name: string) =>
  name
    .replace(/_total$/, "")
    .replace(/_(?:seconds|bytes)$/, "")
    .replaceAll("_", ".");

export interface Times {
  readonly startMs: number;
  readonly nowMs: number;
}

function toMetric({ name, unit, reading }: OtlpReading, { startMs, nowMs }: Times): MetricData {
  const startTime = toHrTime(startMs);
  const endTime = toHrTime(nowMs);
  const point = <Value>(values: readonly string[], value: Value) => {
    const pairs = reading.labels.map((label, at) => [label, values[at] ?? ""] as const);
    return { startTime, endTime, attributes: toAttributes(pairs.filter(([, of]) => of !== "")), value };
  };
  const all = {
    descriptor: { name, description: reading.help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (reading.kind === "histogram") {
    const boundaries = [...reading.bounds];
    return {
      ...all,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: reading.distributions.map(({ labels, counts, sum, count }) =>
        // A copy of the counts, which go on while this waits.
        point(labels, { buckets: { boundaries, counts: [...counts] }, sum, count }),
      ),
    };
  }
  const dataPoints = reading.values.map(({ labels, value }) => point(labels, value));
  return reading.kind === "gauge"
    ? { ...all, dataPointType: DataPointType.GAUGE, dataPoints }
    : { ...all, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}

/** All families as the SDK of OpenTelemetry would collect them: our own, and those that the GenAI conventions name (`alsoOld`: of v1.41 too). */
export function toResourceMetrics(
  { resource, instrumentationScope: scope }: Origin,
  { readings, times, alsoOld }: { readings: readonly Reading[]; times: Times; alsoOld: boolean },
): ResourceMetrics {
  const ours = readings.map((reading): OtlpReading => {
    const { name } = reading;
    return { name: nameOf(name), unit: unitOf(name), reading };
  });
  const metrics = [...ours, ...genAiReadings(readings, alsoOld)].map((each) => toMetric(each, times));
  return { resource, scopeMetrics: [{ scope, metrics }] };
}

const pointBytes = 500;

/** Bytes that they hold, about. */
export const sizeOfMetrics = ({ scopeMetrics }: ResourceMetrics) =>
  scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .reduce((size, { dataPoints }) => size + pointBytes * (1 + dataPoints.length), 0);
