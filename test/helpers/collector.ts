import {
  decodeLogs,
  decodeMetrics,
  decodeSpans,
  type SeenLog,
  type SeenMetric,
  type SeenSpan,
} from "./decode-otlp.ts";

/** How a collector behaves; a busy one sends the first two away, to come back at once. */
export type Mood = "well" | "busy" | "hangs" | "fails";

export interface Collector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly requests: readonly {
    readonly path: string;
    readonly headers: Headers;
    readonly body: Uint8Array;
  }[];
  readonly spans: readonly SeenSpan[];
  readonly logs: readonly SeenLog[];
  /** Of the newest request. */
  metrics(): readonly SeenMetric[];
  /** Resolves as soon as what has come so far is enough; throws when that does not come to be. */
  until(isEnough: () => boolean): Promise<void>;
}

const patienceMs = 15_000;

/** An OpenTelemetry collector on loopback that decodes what it is sent, or answers badly, or not at all. */
export function startCollector(mood: Mood = "well"): Collector {
  const requests: { path: string; headers: Headers; body: Uint8Array }[] = [];
  const spans: SeenSpan[] = [];
  const logs: SeenLog[] = [];
  let metrics: SeenMetric[] = [];
  const waiting = new Set<() => void>();

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const sent = new Uint8Array(await request.arrayBuffer());
      const body = request.headers.get("content-encoding") === "gzip" ? Bun.gunzipSync(sent) : sent;
      requests.push({ path: pathname, headers: request.headers, body });
      const isBusy = mood === "busy" && requests.length <= 2;
      const takes = mood === "well" || (mood === "busy" && !isBusy);
      if (takes && pathname === "/v1/traces") spans.push(...decodeSpans(body));
      if (takes && pathname === "/v1/logs") logs.push(...decodeLogs(body));
      if (takes && pathname === "/v1/metrics") metrics = decodeMetrics(body);
      for (const look of waiting) look();
      if (mood === "hangs") return new Promise<Response>(() => {});
      if (isBusy) return new Response("", { status: 503, headers: { "retry-after": "0" } });
      return new Response("", { status: mood === "fails" ? 500 : 200 });
    },
  });

  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    spans,
    logs,
    metrics: () => metrics,
    until(isEnough) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => {
        if (!isEnough()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      const late = setTimeout(() => {
        const came = requests.map(({ path }) => path).join(" ");
        reject(new Error(`The collector was not sent ${isEnough} in ${patienceMs} ms, only: ${came}`));
      }, patienceMs);
      return promise.finally(() => {
        clearTimeout(late);
        waiting.delete(look);
      });
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
