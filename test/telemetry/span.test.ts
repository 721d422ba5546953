import { afterEach, expect, test } from "bun:test";
import { createSampler } from "../../src/telemetry/sampler.ts";
import { readTraceparent, setTracing, startSpan, traceField } from "../../src/telemetry/span.ts";
import { createTracer, type SpanRecord } from "../../src/telemetry/tracer.ts";

afterEach(() => setTracing(undefined));

const id = "0af7651916cd43dd8448eb211c80319c";

function recording(options: { traceContent?: boolean; sampled?: boolean } = {}) {
  const ended: SpanRecord[] = [];
  const sampler = () => options.sampled ?? true;
  const { traceContent = false } = options;
  setTracing(createTracer({ sampler, traceContent, ended: (span) => ended.push(span) }));
  return ended;
}

test("startSpan makes nothing while tracing is off", () => {
  expect(startSpan({ name: "a", kind: "server" })).toBeUndefined();
});

test("readTraceparent reads what the standard allows, and nothing else", () => {
  const parent = { traceId: id, spanId: "b7ad6b7169203331", sampled: true };
  expect(readTraceparent(`00-${id}-b7ad6b7169203331-01`)).toEqual(parent);
  expect(readTraceparent(` 00-${id}-b7ad6b7169203331-00 `)).toEqual({ ...parent, sampled: false });
  expect(readTraceparent(`cc-${id}-b7ad6b7169203331-01-what-will-be`)).toEqual(parent);
  for (const wrong of [
    undefined,
    null,
    "",
    `00-${id}-b7ad6b7169203331`,
    `00-${id}-b7ad6b7169203331-01-more`,
    `ff-${id}-b7ad6b7169203331-01`,
    `00-${id.toUpperCase()}-b7ad6b7169203331-01`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${id}-${"0".repeat(16)}-01`,
    `cc-${id}-b7ad6b7169203331-01-${"x".repeat(300)}`,
  ])
    expect(readTraceparent(wrong)).toBeUndefined();
});

test("startSpan goes on with a trace of another process, and begins a new one for what is none", () => {
  const ended = recording();
  const span = startSpan({ name: "a", kind: "server", parent: `00-${id}-b7ad6b7169203331-01` });
  const child = span?.child("b", "internal", { "openclaw.channel": "x", nothing: undefined });
  child?.end();
  span?.end("busy");
  span?.end();
  startSpan({ name: "c", kind: "server", parent: "nonsense" })?.end();
  const [b, a, c] = ended;
  expect(ended.length).toBe(3);
  expect(a).toMatchObject({ traceId: id, parentId: "b7ad6b7169203331", isRemote: true, fault: "busy" });
  expect(b).toMatchObject({ traceId: id, parentId: a?.spanId, isRemote: false, fault: undefined });
  expect([...(b?.attributes ?? [])]).toEqual([["openclaw.channel", "x"]]);
  expect(c?.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(c?.parentId).toBeUndefined();
  expect(traceField(span?.traceparent)).toEqual({ trace: id });
});

test("createTracer keeps contents only where it may, masked, and bounds what a span holds", () => {
  const off = recording();
  const quiet = startSpan({ name: "a", kind: "client" });
  quiet?.content("gen_ai.input.messages", () => {
    throw new Error("It was asked for.");
  });
  quiet?.end();
  expect(off[0]?.attributes.size).toBe(0);

  const on = recording({ traceContent: true });
  const span = startSpan({ name: "a".repeat(1000), kind: "client" });
  span?.content("said", () => `the key sk-0123456789abcdef0123 ${"x".repeat(100_000)}`);
  span?.set({ long: "y".repeat(100_000), half: "\ud800" });
  for (let at = 0; at < 100; at++) span?.event("retry");
  span?.end();
  const [kept] = on;
  expect(kept?.attributes.get("said")).toStartWith("the key *** x");
  expect(kept?.size).toBeLessThan(40_000);
  expect(kept?.name.length).toBe(200);
  expect(kept?.attributes.get("half")).toBe("\ufffd");
  expect(kept?.events.length).toBe(64);
  expect(kept?.droppedEvents).toBe(36);
});

test("a trace that is not kept is handed on as such, and none of its spans is", () => {
  const ended = recording({ sampled: false });
  const span = startSpan({ name: "a", kind: "server" });
  span?.child("b", "internal").end();
  span?.end();
  expect(ended).toEqual([]);
  expect(span?.traceparent).toEndWith("-00");
});

test("createSampler follows the parent or not, and keeps a share of the traces by their ids", () => {
  expect(createSampler("parentbased_always_on", 1)(id, false)).toBe(false);
  expect(createSampler("parentbased_always_off", 1)(id, undefined)).toBe(false);
  expect(createSampler("always_on", 1)(id, false)).toBe(true);
  expect(createSampler("always_off", 1)(id, true)).toBe(false);
  const half = createSampler("traceidratio", 0.5);
  expect(half(`${"0".repeat(18)}7ffffffffff000`, undefined)).toBe(true);
  expect(half(`${"0".repeat(18)}80000000000000`, undefined)).toBe(false);
  expect(createSampler("parentbased_traceidratio", 0)(id, true)).toBe(true);
});
