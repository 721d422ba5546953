import { describe, expect, test } from "bun:test";
import { startCollector } from "../helpers/collector.ts";
import { type RunningExecutable, startExecutable } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const turns = 30;
/** The promise is 2 s beside what a stop takes anyway, which the bench measures; a busy machine gets more. */
const stopMs = 10_000;

const ask = (server: RunningExecutable, at: number) =>
  fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-openclaw-session-id": `s${at % 5}` },
    body: JSON.stringify({ model: "scripted", messages: [{ role: "user", content: "Say hello." }] }),
  }).then((response) => response.text());

describe("a collector that is of no use costs a turn nothing and a stop little", () => {
  for (const mood of ["hangs", "fails", "dead"] as const)
    test(mood, async () => {
      await using collector = startCollector(mood === "dead" ? "well" : mood);
      await using model = scriptedModel(() => ({ text: "Hello." }));
      await using server = await startExecutable({
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_MODEL: "scripted",
        OTEL_EXPORTER_OTLP_ENDPOINT: mood === "dead" ? "http://127.0.0.1:1" : collector.url,
        OTEL_METRIC_EXPORT_INTERVAL: "100",
      });
      const answers = await Promise.all(Array.from({ length: turns }, (_, at) => ask(server, at)));
      for (const answer of answers) expect(answer).toContain("Hello.");
      if (mood !== "dead") await collector.until(() => collector.requests.length > 0);
      const begin = performance.now();
      expect(await server.stop()).toBe(0);
      expect(performance.now() - begin).toBeLessThan(stopMs);
    });

  test("nothing is sent without an endpoint, nor with OTEL_SDK_DISABLED or every exporter none", async () => {
    await using collector = startCollector();
    const none = {
      OTEL_TRACES_EXPORTER: "none",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_LOGS_EXPORTER: "none",
    };
    for (const env of [{ OTEL_SDK_DISABLED: "true" }, none]) {
      await using model = scriptedModel(() => ({ text: "Hello." }));
      await using server = await startExecutable({
        MODEL_PROVIDER_ENDPOINT: model.url,
        MODEL_PROVIDER_MODEL: "scripted",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        ...env,
      });
      expect(await ask(server, 0)).toContain("Hello.");
      expect(model.requests[0]?.headers.has("traceparent")).toBe(false);
      expect(await server.stop()).toBe(0);
    }
    expect(collector.requests).toEqual([]);
  });
});
