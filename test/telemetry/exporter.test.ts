import { expect, test } from "bun:test";
import { createExporter } from "../../src/telemetry/exporter.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { telemetryDropped, telemetrySent } from "../../src/telemetry/metrics.ts";
import { startCollector } from "../helpers/collector.ts";

setUpLog({ level: "error", pretty: false });

const exporterTo = (url: string, signal: string, more: { timeoutMs?: number; size?: number } = {}) =>
  createExporter<string>({
    signal,
    url: `${url}/v1/other`,
    headers: {},
    gzip: false,
    timeoutMs: more.timeoutMs ?? 5000,
    encode: (items) => new TextEncoder().encode(items.join(",")),
    sizeOf: () => more.size ?? 10,
    delayMs: 1,
    firstBackoffMs: 1,
  });

function counted(counter: typeof telemetryDropped, signal: string): number {
  const reading = counter.read();
  if (reading.kind === "histogram") return 0;
  return reading.values.find(({ labels }) => labels[0] === signal)?.value ?? 0;
}

test("createExporter sends all there is in order, and what is left at the stop", async () => {
  await using collector = startCollector();
  const exporter = exporterTo(collector.url, "a");
  for (let at = 0; at < 1200; at++) exporter.push(`${at}`);
  await collector.until(() => collector.requests.length > 0);
  exporter.push("last");
  await exporter.stop(AbortSignal.timeout(5000));
  const items = collector.requests
    .map(({ body }) => new TextDecoder().decode(body))
    .join(",")
    .split(",");
  expect(items).toEqual([...Array.from({ length: 1200 }, (_, at) => `${at}`), "last"]);
  expect(counted(telemetrySent, "a")).toBe(1201);
  exporter.push("too late");
  expect(counted(telemetryDropped, "a")).toBe(1);
});

test("createExporter never holds more than its queue: the rest is dropped and counted", async () => {
  await using collector = startCollector("hangs");
  const exporter = exporterTo(collector.url, "b");
  for (let at = 0; at < 10_000; at++) exporter.push(`${at}`);
  const large = exporterTo(collector.url, "c", { size: 3 * 1024 * 1024 });
  for (let at = 0; at < 10; at++) large.push(`${at}`);
  // One batch is under way.
  expect(counted(telemetryDropped, "b")).toBeWithin(10_000 - 4096 - 513, 10_000 - 4096 + 1);
  expect(counted(telemetryDropped, "c")).toBeGreaterThanOrEqual(7);
  const begin = performance.now();
  const over = AbortSignal.timeout(200);
  await Promise.all([exporter.stop(over), large.stop(over)]);
  expect(performance.now() - begin).toBeLessThan(2000);
  expect(counted(telemetryDropped, "b")).toBe(10_000);
  expect(counted(telemetryDropped, "c")).toBe(10);
});

test("createExporter gives up a request that takes too long, and tries again a few times", async () => {
  await using collector = startCollector("hangs");
  const exporter = exporterTo(collector.url, "d", { timeoutMs: 20 });
  exporter.push("x");
  await collector.until(() => collector.requests.length === 4);
  await exporter.stop(AbortSignal.timeout(5000));
  expect(counted(telemetryDropped, "d")).toBe(1);
});

test("createExporter does not repeat what a collector refuses for good", async () => {
  await using collector = startCollector("fails");
  const exporter = exporterTo(collector.url, "e");
  exporter.push("x");
  await collector.until(() => collector.requests.length === 1);
  await exporter.stop(AbortSignal.timeout(5000));
  expect(collector.requests.length).toBe(1);
  expect(counted(telemetryDropped, "e")).toBe(1);
});

test("createExporter drops what nobody takes where no collector is", async () => {
  const exporter = exporterTo("http://127.0.0.1:1", "f");
  exporter.push("x");
  await exporter.stop(AbortSignal.timeout(5000));
  expect(counted(telemetryDropped, "f")).toBe(1);
});
