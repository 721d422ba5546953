/** Writes the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding), as far as OTLP needs it. */
export interface ProtobufWriter {
  /** A whole number that is not negative. */
  varint(field: number, value: number): void;
  bool(field: number, value: boolean): void;
  double(field: number, value: number): void;
  /** 8 bytes: nanoseconds since 1970, counts. */
  fixed64(field: number, value: bigint): void;
  fixed32(field: number, value: number): void;
  text(field: number, value: string): void;
  bytes(field: number, value: Uint8Array): void;
  message(field: number, write: () => void): void;
  finish(): Uint8Array<ArrayBuffer>;
}

const varintWire = 0;
const fixed64Wire = 1;
const lengthWire = 2;
const fixed32Wire = 5;
/** The length of a message is known when it has been written: its place is kept in as many bytes, which a varint may have. */
const lengthBytes = 4;

export function createProtobufWriter(): ProtobufWriter {
  let buffer = new Uint8Array(16 * 1024);
  let view = new DataView(buffer.buffer);
  let at = 0;
  const encoder = new TextEncoder();

  function need(bytes: number) {
    if (at + bytes <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, at + bytes));
    larger.set(buffer);
    buffer = larger;
    view = new DataView(buffer.buffer);
  }

  function raw(value: number) {
    need(10);
    let rest = value;
    while (rest > 0x7f) {
      buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    buffer[at++] = rest;
  }
  const tag = (field: number, wire: number) => raw(field * 8 + wire);

  const writer: ProtobufWriter = {
    varint(field, value) {
      tag(field, varintWire);
      raw(value);
    },
    bool: (field, value) => writer.varint(field, value ? 1 : 0),
    double(field, value) {
      tag(field, fixed64Wire);
      need(8);
      view.setFloat64(at, value, true);
      at += 8;
    },
    fixed64(field, value) {
      tag(field, fixed64Wire);
      need(8);
      view.setBigUint64(at, value, true);
      at += 8;
    },
    fixed32(field, value) {
      tag(field, fixed32Wire);
      need(4);
      view.setUint32(at, value, true);
      at += 4;
    },
    text: (field, value) => writer.bytes(field, encoder.encode(value)),
    bytes(field, value) {
      tag(field, lengthWire);
      raw(value.length);
      need(value.length);
      buffer.set(value, at);
      at += value.length;
    },
    message(field, write) {
      tag(field, lengthWire);
      need(lengthBytes);
      const place = at;
      at += lengthBytes;
      write();
      const length = at - place - lengthBytes;
      for (let byte = 0; byte < lengthBytes; byte++) {
        const more = byte < lengthBytes - 1 ? 0x80 : 0;
        buffer[place + byte] = ((length >>> (7 * byte)) & 0x7f) | more;
      }
    },
    finish: () => buffer.slice(0, at),
  };
  return writer;
}
