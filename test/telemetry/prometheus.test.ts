import { expect, test } from "bun:test";
import { gather } from "../../src/telemetry/gather.ts";
import { createCounter, createHistogram, mostSeries } from "../../src/telemetry/instruments.ts";
import { toPrometheus } from "../../src/telemetry/prometheus.ts";

async function promtool(text: string): Promise<string> {
  const child = Bun.spawn(["promtool", "check", "metrics"], {
    stdin: new Blob([text]),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 15_000,
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return `${await child.exited} ${out}${err}`.trim();
}

test("toPrometheus writes counters, gauges and histograms with whatever their labels hold", async () => {
  const calls = createCounter({
    name: "openclaw_x_total",
    help: "A \\ and\na line.",
    labels: ["tool", "status"],
  });
  calls.add(2, 'a"b\\c\nd', "ok");
  const took = createHistogram({
    name: "openclaw_y_seconds",
    help: "Took.",
    labels: ["m"],
    bounds: [0.1, 1],
  });
  for (const value of [0.1, 0.5, 7]) took.observe(value, "ö");
  const text = toPrometheus([took.read(), calls.read()]);
  expect(text).toBe(
    [
      "# HELP openclaw_x_total A \\\\ and\\na line.",
      "# TYPE openclaw_x_total counter",
      'openclaw_x_total{tool="a\\"b\\\\c\\nd",status="ok"} 2',
      "# HELP openclaw_y_seconds Took.",
      "# TYPE openclaw_y_seconds histogram",
      'openclaw_y_seconds_bucket{m="ö",le="0.1"} 1',
      'openclaw_y_seconds_bucket{m="ö",le="1"} 2',
      'openclaw_y_seconds_bucket{m="ö",le="+Inf"} 3',
      'openclaw_y_seconds_sum{m="ö"} 7.6',
      'openclaw_y_seconds_count{m="ö"} 3',
      "",
    ].join("\n"),
  );
  expect(await promtool(text)).toBe("0");
});

test("a family never has more series than its cap: the rest is counted as other", () => {
  const counter = createCounter({ name: "n_total", help: "N.", labels: ["model"] });
  for (let at = 0; at < 10_000; at++) counter.add(1, `model-${at}`);
  counter.add(1, "model-0");
  const reading = counter.read();
  if (reading.kind === "histogram") throw new Error("It is a counter.");
  expect(reading.values.length).toBe(mostSeries + 1);
  expect(reading.values.find(({ labels }) => labels[0] === "other")?.value).toBe(10_000 - mostSeries);
  expect(counter.total()).toBe(10_001);
});

test("gather leaves out what cannot be looked up, and waits for nothing that hangs", async () => {
  const readings = await gather([
    { name: "openclaw_good", help: "Good.", read: async () => 7 },
    { name: "openclaw_bad", help: "Bad.", read: () => Promise.reject(new Error("no")) },
    { name: "openclaw_hangs", help: "Hangs.", read: () => new Promise(() => {}) },
  ]);
  const names = readings.map(({ name }) => name);
  expect(names).toContain("openclaw_good");
  expect(names).toContain("process_resident_memory_bytes");
  expect(names).not.toContain("openclaw_bad");
  expect(names).not.toContain("openclaw_hangs");
  expect(new Set(names).size).toBe(names.length);
  expect(await promtool(toPrometheus(readings))).toBe("0");
});
