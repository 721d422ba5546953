import { expect, test } from "bun:test";
import { otlpTargets } from "../../src/assemble/telemetry.ts";
import { loadSettings } from "../../src/config/load.ts";

const telemetryOf = (environment: Record<string, string>) => {
  const { settings, problems } = loadSettings({ OPENCLAW_DATA_DIR: "/d", ...environment }, "/");
  if (settings === undefined) throw new Error(problems.map(({ text }) => text).join("\n"));
  return settings.telemetry;
};

test("OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES are read as OpenTelemetry writes them", () => {
  const read = telemetryOf({
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20YTpi, x-tenant = a=b ",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=own,deployment.environment.name=te%2Cst,odd=%",
  });
  expect(read.otlpHeaders).toEqual({ authorization: "Basic YTpi", "x-tenant": "a=b" });
  expect(read.resourceAttributes).toEqual({
    "service.name": "own",
    "deployment.environment.name": "te,st",
    odd: "%",
  });
  expect(() => telemetryOf({ OTEL_EXPORTER_OTLP_HEADERS: "nothing" })).toThrow("key=value");
  expect(() => telemetryOf({ OTEL_EXPORTER_OTLP_HEADERS: "a=b%0d%0ac: d" })).toThrow("headers");
  expect(() => telemetryOf({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toThrow("http/protobuf");
  // A header is a secret: what is wrong with it is told without it.
  expect(() => telemetryOf({ OTEL_EXPORTER_OTLP_HEADERS: "s3cret-without-name" })).toThrow(/^(?!.*s3cret)/s);
});

test("otlpTargets derives where each signal goes", () => {
  const targets = (environment: Record<string, string>) => otlpTargets(telemetryOf(environment));
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };
  expect(targets({})).toBeUndefined();
  expect(targets(endpoint)).toEqual({
    traces: "http://collector:4318/v1/traces",
    metrics: "http://collector:4318/v1/metrics",
    logs: "http://collector:4318/v1/logs",
  });
  expect(targets({ ...endpoint, OTEL_SDK_DISABLED: "true" })).toBeUndefined();
  expect(
    targets({
      ...endpoint,
      OTEL_LOGS_EXPORTER: "none",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://other/t",
    }),
  ).toEqual({ traces: "http://other/t", metrics: "http://collector:4318/v1/metrics", logs: undefined });
  expect(targets({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://other/m" })).toEqual({
    traces: undefined,
    metrics: "http://other/m",
    logs: undefined,
  });
});
