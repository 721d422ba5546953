import type { Line } from "./log.ts";
import { type Resource, toNanos, writeAny, writeAttributes, writeRequest } from "./otlp-common.ts";
import type { Attribute } from "./span.ts";

const severities = { debug: 5, info: 9, warn: 13, error: 17 } as const;
const traceId = /^[0-9a-f]{32}$/;

const toAttribute = (value: unknown): Attribute =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : (JSON.stringify(value) ?? "");

/** `ExportLogsServiceRequest`. The lines are masked already. */
export const encodeLogs = (resource: Resource, lines: readonly Line[]) =>
  writeRequest(resource, (out) => {
    for (const line of lines)
      out.message(2, () => {
        const { trace, message, time: _time, level: _level, ...rest } = line.fields();
        out.fixed64(1, toNanos(line.atMs));
        out.varint(2, severities[line.level]);
        out.text(3, line.level.toUpperCase());
        writeAny(out, 5, toAttribute(message));
        writeAttributes(
          out,
          6,
          Object.entries(rest).map(([key, value]): [string, Attribute] => [key, toAttribute(value)]),
        );
        if (typeof trace === "string" && traceId.test(trace)) out.bytes(9, Uint8Array.fromHex(trace));
        out.fixed64(11, toNanos(line.atMs));
      });
  });
