import { maskSecrets } from "./mask.ts";
import { names } from "./names.ts";
import {
  type Attribute,
  type Attributes,
  readTraceparent,
  type Span,
  type SpanKind,
  type StartSpan,
} from "./span.ts";

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A span that has ended. Times are milliseconds since 1970, with fractions. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** The parent is of another process. */
  readonly isRemote: boolean;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly events: readonly SpanEvent[];
  readonly droppedEvents: number;
  readonly fault: string | undefined;
  /** Bytes that it holds, about. */
  readonly size: number;
}

/** Decides at the root whether a trace is kept; `parent` is what the parent of another process decided. */
export type Sampler = (traceId: string, parent: boolean | undefined) => boolean;

export interface TracerOptions {
  readonly sampler: Sampler;
  readonly traceContent: boolean;
  readonly ended: (span: SpanRecord) => void;
}

const mostEvents = 64;
const longestText = 2000;
const longestContent = 32_000;
const spanBytes = 200;

const hex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

/** What is common to the spans that this process makes of a trace. */
interface Trace {
  readonly id: string;
  readonly sampled: boolean;
  /** What makes a time since 1970 out of `performance.now()`: one for all, so that they do not disagree. */
  readonly offsetMs: number;
}

interface Parent {
  readonly id: string;
  readonly isRemote: boolean;
}

/** Makes spans and hands over those that have ended. */
export function createTracer({ sampler, traceContent, ended }: TracerOptions): StartSpan {
  function begin(trace: Trace, parent: Parent | undefined, name: string, kind: SpanKind): Span {
    const spanId = hex(8);
    const clock = () => trace.offsetMs + performance.now();
    const startMs = clock();
    const attributes = new Map<string, Attribute>();
    const events: SpanEvent[] = [];
    let droppedEvents = 0;
    let size = spanBytes;
    let isOver = false;

    const put = (into: Map<string, Attribute>, more: Attributes) => {
      for (const [key, value] of Object.entries(more)) {
        if (value === undefined) continue;
        const kept = typeof value === "string" ? value.slice(0, longestText).toWellFormed() : value;
        into.set(key, kept);
        size += key.length + (typeof kept === "string" ? kept.length : 8);
      }
    };

    return {
      traceId: trace.id,
      traceparent: `00-${trace.id}-${spanId}-${trace.sampled ? "01" : "00"}`,
      child(childName, childKind, more) {
        const child = begin(trace, { id: spanId, isRemote: false }, childName, childKind);
        if (more) child.set(more);
        return child;
      },
      set(more) {
        if (trace.sampled && !isOver) put(attributes, more);
      },
      content(key, text) {
        if (!traceContent || !trace.sampled || isOver) return;
        const masked = maskSecrets(text()).slice(0, longestContent).toWellFormed();
        attributes.set(key, masked);
        size += masked.length;
      },
      event(eventName, more = {}) {
        if (!trace.sampled || isOver) return;
        if (events.length >= mostEvents) {
          droppedEvents++;
          return;
        }
        const of = new Map<string, Attribute>();
        put(of, more);
        events.push({ name: eventName, atMs: clock(), attributes: of });
      },
      end(fault) {
        if (isOver) return;
        if (fault !== undefined) this.set({ [names.errorType]: fault });
        isOver = true;
        if (!trace.sampled) return;
        ended({
          traceId: trace.id,
          spanId,
          parentId: parent?.id,
          isRemote: parent?.isRemote ?? false,
          name: name.slice(0, 200).toWellFormed(),
          kind,
          startMs,
          endMs: clock(),
          attributes,
          events,
          droppedEvents,
          fault,
          size,
        });
      },
    };
  }

  return ({ name, kind, parent, attributes }) => {
    const from = readTraceparent(parent);
    const id = from?.traceId ?? hex(16);
    const offsetMs = Date.now() - performance.now();
    const trace = { id, sampled: sampler(id, from?.sampled), offsetMs };
    const span = begin(trace, from && { id: from.spanId, isRemote: true }, name, kind);
    if (attributes) span.set(attributes);
    return span;
  };
}
