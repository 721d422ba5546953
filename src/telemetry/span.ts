export type Attribute = string | number | boolean | readonly string[];
/** What is undefined is left out. */
export type Attributes = Readonly<Record<string, Attribute | undefined>>;
export type SpanKind = "internal" | "server" | "client";

/** A piece of work of a trace. It is handed on with the work; who has none costs nothing: `span?.event(…)`. */
export interface Span {
  /** 32 hexadecimal digits: the same in all of a trace. */
  readonly traceId: string;
  /** What others continue the trace by (W3C Trace Context). */
  readonly traceparent: string;
  child(name: string, kind: SpanKind, attributes?: Attributes): Span;
  set(attributes: Attributes): void;
  /** Adds what was said, masked, where OPENCLAW_TRACE_CONTENT allows it; else `text` is not even called. */
  content(name: string, text: () => string): void;
  event(name: string, attributes?: Attributes): void;
  /** Ends it, once; `fault` is the code of what went wrong. */
  end(fault?: string): void;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** `traceparent` of who asks, as it came; one that is none begins a new trace. */
  readonly parent?: string | undefined;
  readonly attributes?: Attributes;
}

export type StartSpan = (start: SpanStart) => Span;

let start: StartSpan | undefined;

/** Turns tracing on or, with undefined, off: for the whole process. */
export const setTracing = (startSpan: StartSpan | undefined) => {
  start = startSpan;
};

export const isTracing = () => start !== undefined;

/** Begins a trace, or goes on with the one of `parent`. Undefined while tracing is off. */
export const startSpan = (of: SpanStart): Span | undefined => start?.(of);

/** A parent that somebody else names, taken apart. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const shape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const allZero = /^0+$/;

/** Reads a `traceparent` (W3C Trace Context, level 1); undefined when it is none. */
export function readTraceparent(text: string | null | undefined): TraceParent | undefined {
  // Longer ones are of a later version, and none of those is that long.
  if (text === undefined || text === null || text.length > 256) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = shape.exec(text.trim()) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (allZero.test(traceId) || allZero.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header as it may be handed on: undefined while tracing is off, or when it is none. */
export const takeTraceparent = (text: string | null | undefined): string | undefined =>
  isTracing() && readTraceparent(text) !== undefined ? text?.trim() : undefined;

/** `trace` for a line of the log. */
export const traceField = (traceparent: string | undefined) =>
  traceparent === undefined ? {} : { trace: traceparent.slice(3, 35) };
