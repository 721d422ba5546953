import { genAiReadings, type OtlpReading } from "./gen-ai-metrics.ts";
import type { Reading } from "./instruments.ts";
import { type Resource, toNanos, writeAttributes, writeRequest } from "./otlp-common.ts";
import type { ProtobufWriter } from "./protobuf.ts";

const cumulative = 2;

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

function writeMetric(out: ProtobufWriter, { name, unit, reading }: OtlpReading, { startMs, nowMs }: Times) {
  const attributes = (values: readonly string[], field: number) => {
    const pairs = reading.labels.map((label, at) => [label, values[at] ?? ""] as const);
    writeAttributes(
      out,
      field,
      pairs.filter(([, value]) => value !== ""),
    );
  };
  const times = () => {
    out.fixed64(2, toNanos(startMs));
    out.fixed64(3, toNanos(nowMs));
  };
  out.text(1, name);
  out.text(2, reading.help);
  out.text(3, unit);
  if (reading.kind === "histogram")
    return out.message(9, () => {
      for (const { labels, counts, sum, count } of reading.distributions)
        out.message(1, () => {
          times();
          out.fixed64(4, BigInt(count));
          out.double(5, sum);
          for (const each of counts) out.fixed64(6, BigInt(each));
          for (const bound of reading.bounds) out.double(7, bound);
          attributes(labels, 9);
        });
      out.varint(2, cumulative);
    });
  const points = () => {
    for (const { labels, value } of reading.values)
      out.message(1, () => {
        times();
        out.double(4, value);
        attributes(labels, 7);
      });
  };
  if (reading.kind === "gauge") return out.message(5, points);
  out.message(7, () => {
    points();
    out.varint(2, cumulative);
    out.bool(3, true);
  });
}

/** `ExportMetricsServiceRequest`: our own families, and those that the GenAI conventions name (`alsoOld`: of v1.41 too). */
export const encodeMetrics = (
  resource: Resource,
  { readings, times, alsoOld }: { readings: readonly Reading[]; times: Times; alsoOld: boolean },
) =>
  writeRequest(resource, (out) => {
    const ours = readings.map((reading): OtlpReading => {
      const { name } = reading;
      return { name: nameOf(name), unit: unitOf(name), reading };
    });
    for (const each of [...ours, ...genAiReadings(readings, alsoOld)])
      out.message(2, () => writeMetric(out, each, times));
  });
