import { type Resource, toNanos, writeAttributes, writeRequest } from "./otlp-common.ts";
import type { SpanRecord } from "./tracer.ts";

const kinds = { internal: 1, server: 2, client: 3 } as const;
const failed = 2;
const sampled = 1;
const knowsRemote = 0x100;
const isRemote = 0x200;

/** `ExportTraceServiceRequest`. */
export const encodeSpans = (resource: Resource, spans: readonly SpanRecord[]) =>
  writeRequest(resource, (out) => {
    for (const span of spans)
      out.message(2, () => {
        out.bytes(1, Uint8Array.fromHex(span.traceId));
        out.bytes(2, Uint8Array.fromHex(span.spanId));
        if (span.parentId !== undefined) out.bytes(4, Uint8Array.fromHex(span.parentId));
        out.text(5, span.name);
        out.varint(6, kinds[span.kind]);
        out.fixed64(7, toNanos(span.startMs));
        out.fixed64(8, toNanos(span.endMs));
        writeAttributes(out, 9, span.attributes);
        for (const event of span.events)
          out.message(11, () => {
            out.fixed64(1, toNanos(event.atMs));
            out.text(2, event.name);
            writeAttributes(out, 3, event.attributes);
          });
        if (span.droppedEvents > 0) out.varint(12, span.droppedEvents);
        if (span.fault !== undefined)
          out.message(15, () => {
            out.text(2, span.fault ?? "");
            out.varint(3, failed);
          });
        out.fixed32(16, sampled | knowsRemote | (span.isRemote ? isRemote : 0));
      });
  });
