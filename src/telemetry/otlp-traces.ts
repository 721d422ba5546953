import { type Origin, toAttributes, toHrTime } from "./otlp-origin.ts";
import { type ProtobufTraceSerializer, SpanKind, SpanStatusCode, TraceFlags } from "./otlp-packages.ts";
import type { SpanRecord } from "./tracer.ts";

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };

/** A span of ours as the SDK of OpenTelemetry would hold it. Only sampled ones are recorded. */
export function toReadableSpan(origin: Origin, span: SpanRecord): ReadableSpan {
  const contextOf = (spanId: string, isRemote: boolean) => ({
    traceId: span.traceId,
    spanId,
    isRemote,
    traceFlags: TraceFlags.SAMPLED,
  });
  return {
    ...origin,
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => contextOf(span.spanId, false),
    ...(span.parentId !== undefined && { parentSpanContext: contextOf(span.parentId, span.isRemote) }),
    startTime: toHrTime(span.startMs),
    endTime: toHrTime(span.endMs),
    duration: toHrTime(span.endMs - span.startMs),
    ended: true,
    status:
      span.fault === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: span.fault },
    attributes: toAttributes(span.attributes),
    events: span.events.map(({ name, atMs, attributes }) => ({
      name,
      time: toHrTime(atMs),
      attributes: toAttributes(attributes),
    })),
    links: [],
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0,
  };
}
