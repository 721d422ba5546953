import { describe, expect, test } from "bun:test";
import { createHistogram } from "../../src/telemetry/instruments.ts";
import { toLogRecord } from "../../src/telemetry/otlp-logs.ts";
import { toResourceMetrics } from "../../src/telemetry/otlp-metrics.ts";
import { createOrigin } from "../../src/telemetry/otlp-origin.ts";
import { createLogSender, createMetricSender, createSpanSender } from "../../src/telemetry/otlp-sender.ts";
import { toReadableSpan } from "../../src/telemetry/otlp-traces.ts";
import type { SpanRecord } from "../../src/telemetry/tracer.ts";
import { startCollector } from "../helpers/collector.ts";
import { resourceOf } from "../helpers/decode-otlp.ts";

const origin = createOrigin({ "service.name": "openclaw", "process.pid": 7 });
const atMs = 1_700_000_000_123.456;

const span: SpanRecord = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentId: "00f067aa0ba902b7",
  isRemote: true,
  name: "chat ünïcode",
  kind: "client",
  startMs: atMs,
  endMs: atMs + 1.5,
  attributes: new Map<string, string | number | boolean | readonly string[]>([
    ["text", "a\u0000b"],
    ["whole", -3],
    ["large", 2 ** 40],
    ["part", 0.5],
    ["yes", true],
    ["list", ["a", "b"]],
  ]),
  events: [{ name: "retry", atMs, attributes: new Map([["try", 1]]) }],
  droppedEvents: 2,
  fault: "provider_error",
  size: 100,
};
const line = (json: string) => ({
  level: "warn" as const,
  atMs,
  json,
  fields: () => ({ ...JSON.parse(json) }),
});
const aLine = toLogRecord(origin, line('{"message":"m","trace":"0af7651916cd43dd8448eb211c80319c","n":[1]}'));

const to = (url: string, path: string, more: { gzip?: boolean; timeoutMs?: number } = {}) => ({
  url: `${url}/v1/${path}`,
  headers: { "x-tenant": "one two" },
  gzip: more.gzip ?? false,
  timeoutMs: more.timeoutMs ?? 5000,
});

describe("a collector reads what is sent", () => {
  for (const gzip of [false, true])
    test(gzip ? "compressed" : "as it is", async () => {
      await using collector = startCollector();
      await createSpanSender(to(collector.url, "traces", { gzip }))([toReadableSpan(origin, span)]);
      await createLogSender(to(collector.url, "logs", { gzip }))([aLine]);

      const [traces, logs] = collector.requests;
      expect(traces?.headers.get("content-type")).toBe("application/x-protobuf");
      expect(traces?.headers.get("content-encoding")).toBe(gzip ? "gzip" : null);
      expect(logs?.headers.get("x-tenant")).toBe("one two");
      expect(resourceOf(traces?.body ?? new Uint8Array())).toEqual({
        "service.name": "openclaw",
        "process.pid": 7,
      });
      expect(collector.spans).toEqual([
        {
          trace_id: span.traceId,
          span_id: span.spanId,
          parent_span_id: "00f067aa0ba902b7",
          name: span.name,
          kind: 3,
          start_time_unix_nano: 1_700_000_000_123_456_000n,
          end_time_unix_nano: 1_700_000_000_124_956_000n,
          attributes: Object.fromEntries(span.attributes),
          events: [{ name: "retry", attributes: { try: 1 } }],
          dropped_events_count: 2,
          status: { code: 2, message: "provider_error" },
          flags: 0x301,
        },
      ]);
      expect(collector.logs).toEqual([
        {
          time_unix_nano: 1_700_000_000_123_456_000n,
          severity_number: 13,
          severity_text: "WARN",
          body: "m",
          attributes: { n: "[1]" },
          trace_id: span.traceId,
        },
      ]);
    });
});

test("createMetricSender sends the figures of the time when they were taken", async () => {
  await using collector = startCollector();
  const histogram = createHistogram({
    name: "openclaw_a_seconds",
    help: "A.",
    labels: ["tool"],
    bounds: [1, 2],
  });
  histogram.observe(1.5, "time");
  const readings = [histogram.read()];
  const metrics = toResourceMetrics(origin, {
    readings,
    times: { startMs: atMs, nowMs: atMs },
    alsoOld: false,
  });
  histogram.observe(0.5, "time");
  await createMetricSender(to(collector.url, "metrics"))(metrics);
  expect(collector.metrics()).toMatchObject([
    {
      name: "openclaw.a",
      description: "A.",
      unit: "s",
      histogram: {
        data_points: [
          {
            attributes: { tool: "time" },
            count: 1,
            sum: 1.5,
            bucket_counts: [0, 1, 0],
            explicit_bounds: [1, 2],
          },
        ],
      },
    },
  ]);
});

test("createLogSender comes back when the collector says so", async () => {
  await using collector = startCollector("busy");
  await createLogSender(to(collector.url, "logs"))([aLine]);
  expect(collector.requests.length).toBe(3);
  expect(collector.logs.length).toBe(1);
});

test("createLogSender does not repeat what a collector refuses for good", async () => {
  await using collector = startCollector("fails");
  await expect(createLogSender(to(collector.url, "logs"))([aLine])).rejects.toMatchObject({ code: 500 });
  expect(collector.requests.length).toBe(1);
});

test("createLogSender gives up a collector that hangs, and one that is not there", async () => {
  await using collector = startCollector("hangs");
  const send = createLogSender(to(collector.url, "logs", { timeoutMs: 50 }));
  const begin = performance.now();
  await expect(send([aLine])).rejects.toThrow();
  await expect(
    createLogSender(to("http://127.0.0.1:1", "logs", { timeoutMs: 50 }))([aLine]),
  ).rejects.toThrow();
  expect(performance.now() - begin).toBeLessThan(10_000);
});

test("createLogSender goes by what it is handed, not by the environment", async () => {
  await using collector = startCollector();
  const script = `
    import { toLogRecord } from "./src/telemetry/otlp-logs.ts";
    import { createOrigin } from "./src/telemetry/otlp-origin.ts";
    import { createLogSender } from "./src/telemetry/otlp-sender.ts";
    const line = { level: "info", atMs: 1, json: "{}", fields: () => ({ message: "m" }) };
    const options = { url: process.argv[1], headers: {}, gzip: false, timeoutMs: 5000 };
    await createLogSender(options)([toLogRecord(createOrigin({}), line)]);
    process.exit(0);`;
  const child = Bun.spawn([process.execPath, "-e", script, `${collector.url}/v1/logs`], {
    cwd: `${import.meta.dir}/../..`,
    env: {
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-stray=1",
      OTEL_EXPORTER_OTLP_HEADERS: "x-other=1",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere",
    },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  expect(await child.exited).toBe(0);
  const [request] = collector.requests;
  expect([...(request?.headers.keys() ?? [])].filter((name) => name.startsWith("x-"))).toEqual([]);
  expect(request?.headers.has("content-encoding")).toBe(false);
});
