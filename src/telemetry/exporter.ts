import { log } from "./log.ts";
import { telemetryDropped, telemetrySent } from "./metrics.ts";

export interface ExporterOptions<Item> {
  /** For people and for the counters: `traces`, `metrics`, `logs`. */
  readonly signal: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** How long one request may take. */
  readonly timeoutMs: number;
  readonly encode: (items: readonly Item[]) => Uint8Array<ArrayBuffer>;
  /** Bytes that an item holds, about. */
  readonly sizeOf: (item: Item) => number;
  /** How long what is there waits for more. */
  readonly delayMs?: number;
  readonly firstBackoffMs?: number;
}

export interface Exporter<Item> {
  /** Takes an item for later; when the queue is full it is dropped, and counted. */
  push(item: Item): void;
  /** Sends what is there, and gives up at the signal: what is left then is dropped, and counted. */
  stop(signal: AbortSignal): Promise<void>;
}

const mostItems = 4096;
const mostBytes = 8 * 1024 * 1024;
const batchItems = 512;
const batchBytes = 1024 * 1024;
const mostTries = 4;
const longestBackoffMs = 15_000;
const complainEveryMs = 60_000;
/** Answers after which the same request may go better (OTLP, "Retryable Response Codes"). */
const passing: readonly number[] = [429, 502, 503, 504];

type Sent = "taken" | "refused" | "again";

/** Hands items to a collector, one request at a time, from a queue that is bounded: whoever makes them never waits. */
export function createExporter<Item>(options: ExporterOptions<Item>): Exporter<Item> {
  const { signal: name, encode, sizeOf, delayMs = 1000, firstBackoffMs = 1000 } = options;
  let queue: Item[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  let complainedAt = Number.NEGATIVE_INFINITY;
  let isStopped = false;
  /** Ends the pause between two tries. */
  const hurry = Promise.withResolvers<void>();
  const ending = new AbortController();

  const drop = (items: number) => telemetryDropped.add(items, name);

  function complain(why: string) {
    const now = performance.now();
    if (now - complainedAt < complainEveryMs) return;
    complainedAt = now;
    log.warn("The collector does not take what it is sent.", { signal: name, why });
  }

  async function post(body: Uint8Array<ArrayBuffer>): Promise<Sent> {
    const { url, headers, gzip, timeoutMs } = options;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/x-protobuf",
          ...(gzip && { "content-encoding": "gzip" }),
        },
        body: gzip ? Bun.gzipSync(body, { level: 1 }) : body,
        redirect: "manual",
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)]),
      });
      // Nobody waits for the rest of what it says.
      void response.body?.cancel().catch(() => {});
      if (response.ok) return "taken";
      complain(`It answered ${response.status}.`);
      return passing.includes(response.status) ? "again" : "refused";
    } catch (error) {
      if (!ending.signal.aborted) complain(error instanceof Error ? error.message : String(error));
      return "again";
    }
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
    const body = encode(batch);
    for (let tries = 1; ; tries++) {
      const sent = await post(body);
      if (sent === "taken") return telemetrySent.add(batch.length, name);
      // At a stop there is one try for each batch.
      if (sent === "refused" || tries === mostTries || isStopped) return drop(batch.length);
      const pauseMs = Math.min(firstBackoffMs * 2 ** (tries - 1), longestBackoffMs) * (0.5 + Math.random());
      const pause = Promise.withResolvers<void>();
      const over = setTimeout(pause.resolve, pauseMs);
      over.unref();
      await Promise.race([pause.promise, hurry.promise]);
      clearTimeout(over);
    }
  }

  async function sendAll(): Promise<void> {
    while (queue.length > 0 && !ending.signal.aborted) {
      const batch = nextBatch();
      await sendBatch(batch).catch((error) => {
        drop(batch.length);
        complain(error instanceof Error ? error.message : String(error));
      });
    }
  }

  function send() {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (queue.length > 0 && !isStopped) later();
    });
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
      hurry.resolve();
      const abort = () => ending.abort();
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      await sending;
      send();
      await sending;
      signal.removeEventListener("abort", abort);
      if (queue.length > 0) drop(queue.length);
      queue = [];
      bytes = 0;
    },
  };
}
