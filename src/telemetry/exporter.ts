import { log } from "./log.ts";
import { telemetryDropped, telemetrySent } from "./metrics.ts";

export interface ExporterOptions<Item> {
  /** For people and for the counters: `traces`, `metrics`, `logs`. */
  readonly signal: string;
  /** Resolves when the batch is taken, rejects when it is given up; in a bounded time either way. */
  readonly send: (items: readonly Item[]) => Promise<void>;
  /** Bytes that an item holds, about. */
  readonly sizeOf: (item: Item) => number;
  /** How long what is there waits for more. */
  readonly delayMs?: number;
}

export interface Exporter<Item> {
  /** Takes an item for later; when the queue is full it is dropped, and counted. */
  push(item: Item): void;
  /** Sends what is there, and lets go at the signal: what is not taken then is dropped, and counted. */
  stop(signal: AbortSignal): Promise<void>;
}

const mostItems = 4096;
const mostBytes = 8 * 1024 * 1024;
const batchItems = 512;
const batchBytes = 1024 * 1024;
const complainEveryMs = 60_000;

/** Hands items to a collector, one batch at a time, from a queue that is bounded: whoever makes them never waits. */
export function createExporter<Item>(options: ExporterOptions<Item>): Exporter<Item> {
  const { signal: name, sizeOf, delayMs = 1000 } = options;
  let queue: Item[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  /** Items of the batch that is being sent. */
  let underWay = 0;
  let complainedAt = Number.NEGATIVE_INFINITY;
  let isStopped = false;
  let isOver = false;

  const drop = (items: number) => telemetryDropped.add(items, name);

  function complain(error: unknown) {
    const now = performance.now();
    if (now - complainedAt < complainEveryMs) return;
    complainedAt = now;
    const why = error instanceof Error ? error.message : String(error);
    // Of an answer its status, of a connection its fault.
    const code = error instanceof Error && "code" in error ? { code: error.code } : {};
    log.warn("The collector does not take what it is sent.", { signal: name, why, ...code });
  }

  function nextBatch(): Item[] {
    let size = 0;
    let items = 0;
    for (const item of queue) {
      size += sizeOf(item);
      if (items === batchItems || (items > 0 && size > batchBytes)) break;
      items++;
    }
    const batch = queue.splice(0, items);
    for (const item of batch) bytes -= sizeOf(item);
    return batch;
  }

  async function sendBatch(batch: readonly Item[]): Promise<void> {
    underWay = batch.length;
    try {
      await options.send(batch);
      if (!isOver) telemetrySent.add(batch.length, name);
    } catch (error) {
      // What was let go is counted already.
      if (isOver) return;
      drop(batch.length);
      complain(error);
    } finally {
      underWay = 0;
    }
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0 && !isOver) await sendBatch(nextBatch());
  }

  function send() {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (queue.length > 0 && !isStopped) later();
    });
  }

  async function sendRest(): Promise<void> {
    await sending;
    send();
    await sending;
  }

  function later() {
    if (sending !== undefined) return;
    if (queue.length >= batchItems) return send();
    if (timer !== undefined) return;
    timer = setTimeout(send, delayMs);
    timer.unref();
  }

  return {
    push(item) {
      const size = sizeOf(item);
      if (isStopped || queue.length >= mostItems || bytes + size > mostBytes) return drop(1);
      queue.push(item);
      bytes += size;
      later();
    },
    async stop(signal) {
      isStopped = true;
      const late = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => late.resolve(), { once: true });
      if (!signal.aborted) await Promise.race([sendRest(), late.promise]);
      isOver = true;
      const left = queue.length + underWay;
      if (left > 0) drop(left);
      queue = [];
      bytes = 0;
    },
  };
}
