import { createProtobufWriter, type ProtobufWriter } from "./protobuf.ts";
import type { Attribute } from "./span.ts";

/** Field numbers of opentelemetry-proto v1, the parts that all three signals have. */

export type Resource = ReadonlyMap<string, Attribute>;

export const toNanos = (ms: number) => BigInt(Math.round(ms * 1000)) * 1000n;

function anyValue(out: ProtobufWriter, value: Attribute) {
  if (typeof value === "string") out.text(1, value);
  else if (typeof value === "boolean") out.bool(2, value);
  else if (typeof value !== "number")
    out.message(5, () => value.forEach((each) => out.message(1, () => out.text(1, each))));
  else if (Number.isSafeInteger(value) && value >= 0) out.varint(3, value);
  else out.double(4, value);
}

/** `repeated KeyValue`. */
export function writeAttributes(
  out: ProtobufWriter,
  field: number,
  attributes: Iterable<readonly [string, Attribute]>,
) {
  for (const [key, value] of attributes)
    out.message(field, () => {
      out.text(1, key);
      out.message(2, () => anyValue(out, value));
    });
}

export const writeAny = (out: ProtobufWriter, field: number, value: Attribute) =>
  out.message(field, () => anyValue(out, value));

/** The request of any signal: a resource, one scope, and in it whatever `items` writes as its field 2. */
export function writeRequest(resource: Resource, items: (out: ProtobufWriter) => void) {
  const out = createProtobufWriter();
  out.message(1, () => {
    out.message(1, () => writeAttributes(out, 1, resource));
    out.message(2, () => {
      out.message(1, () => out.text(1, "openclaw"));
      items(out);
    });
  });
  return out.finish();
}
