import { expect, test } from "bun:test";
import { createExporter } from "../../src/telemetry/exporter.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { telemetryDropped, telemetrySent } from "../../src/telemetry/metrics.ts";
import { startCollector } from "../helpers/collector.ts";

setUpLog({ level: "error", pretty: false });

const exporterTo = (url: string, signal: string, size = 10) =>
  createExporter<string>({
    signal,
    async send(items) {
      const { status } = await fetch(`${url}/v1/other`, { method: "POST", body: items.join(",") });
      if (status !== 200) throw new Error(`It answered ${status}.`);
    },
    sizeOf: () => size,
    delayMs: 1,
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
  const large = exporterTo(collector.url, "c", 3 * 1024 * 1024);
  for (let at = 0; at < 10; at++) large.push(`${at}`);
  // One batch is under way.
  expect(counted(telemetryDropped, "b")).toBeWithin(10_000 - 4096 - 513, 10_000 - 4096 + 1);
  expect(counted(telemetryDropped, "c")).toBeGreaterThanOrEqual(7);
  const begin = performance.now();
  const over = AbortSignal.timeout(200);
  await Promise.all([exporter.stop(over), large.stop(over)]);
  // It would be never without the signal: the collector hangs.
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(counted(telemetryDropped, "b")).toBe(10_000);
  expect(counted(telemetryDropped, "c")).toBe(10);
});

test("createExporter counts what a collector does not take", async () => {
  await using collector = startCollector("fails");
  const exporter = exporterTo(collector.url, "e");
  exporter.push("x");
  await collector.until(() => collector.requests.length === 1);
  exporter.push("y");
  await exporter.stop(AbortSignal.timeout(5000));
  expect(collector.requests.length).toBe(2);
  expect(counted(telemetryDropped, "e")).toBe(2);
  expect(counted(telemetrySent, "e")).toBe(0);
});
