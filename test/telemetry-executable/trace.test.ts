import { expect, test } from "bun:test";
import { type Collector, startCollector } from "../helpers/collector.ts";
import type { SeenSpan } from "../helpers/decode-otlp.ts";
import { type RunningExecutable, startExecutable } from "../helpers/executable.ts";
import { type ChatBody, scriptedModel, type Step } from "../helpers/model-server.ts";

const secret = "sk-a-secret-of-somebody-0123456789";
const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
const agents = [{ name: "worker", description: "Works on.", systemPrompt: "You are W.", tools: ["time"] }];

const text = (content: unknown) => (typeof content === "string" ? content : "");

/** Fails once, then asks for two tools and a delegate, who asks for one, and answers. */
function play(body: ChatBody, index: number): Step {
  if (index === 0) return { status: 503, headers: { "retry-after-ms": "1" } };
  const isWorker = text(body.messages[0]?.content).includes("You are W.");
  const isAnswered = body.messages.at(-1)?.role === "tool";
  if (isWorker)
    return isAnswered ? { text: "Worked." } : { calls: [{ id: "w", name: "time", arguments: {} }] };
  if (isAnswered) return { text: "All is done." };
  const task = { profile: "worker", task: "do it" };
  return {
    calls: [
      { id: "a", name: "time", arguments: {} },
      { id: "b", name: "memory", arguments: { action: "write", key: "k", content: `the key is ${secret}` } },
      { id: "c", name: "delegate_agent", arguments: task },
    ],
  };
}

const settingsOf = (collector: Collector, model: { url: string }) => ({
  MODEL_PROVIDER_ENDPOINT: model.url,
  MODEL_PROVIDER_MODEL: "scripted",
  OPENCLAW_ALLOW_DELEGATION: "true",
  OPENCLAW_AGENTS: JSON.stringify(agents),
  OPENCLAW_LOG_LEVEL: "info",
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=one%20two",
  OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
  OTEL_METRIC_EXPORT_INTERVAL: "200",
});

async function ask(server: RunningExecutable, session?: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent,
      ...(session !== undefined && { "x-openclaw-session-id": session }),
    },
    body: JSON.stringify({ model: "scripted", messages: [{ role: "user", content: "Do it." }] }),
  });
  return response.text();
}

const named = (spans: readonly SeenSpan[], name: string) => spans.filter((span) => span.name === name);

function expectConnected(spans: readonly SeenSpan[]) {
  const ids = new Set([...spans.map(({ span_id }) => span_id), "b7ad6b7169203331"]);
  expect(spans.filter(({ trace_id }) => trace_id !== traceId)).toEqual([]);
  expect(spans.filter(({ parent_span_id }) => !ids.has(parent_span_id))).toEqual([]);
  expect(spans.filter((span) => span.end_time_unix_nano < span.start_time_unix_nano)).toEqual([]);
}

const turnsTold = (collector: Collector) =>
  collector.metrics().find(({ name }) => name === "openclaw.turns")?.sum?.data_points[0]?.as_double;

test("the executable sends one connected trace of a turn with two tools, a delegate and a retry, and logs and metrics", async () => {
  await using collector = startCollector();
  await using model = scriptedModel(play);
  await using server = await startExecutable(settingsOf(collector, model));
  expect(await ask(server, "s1")).toContain("All is done.");
  // A stop waits for a collector, but not for long.
  await collector.until(() => collector.spans.length >= 15);
  await collector.until(() => turnsTold(collector) === 2);
  await server.stop();

  const { spans } = collector;
  expectConnected(spans);
  const parentOf = (span: SeenSpan | undefined) =>
    spans.find(({ span_id }) => span_id === span?.parent_span_id);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    "chat scripted",
    "chat scripted",
    "chat scripted",
    "chat scripted",
    "chat scripted",
    "execute_tool delegate_agent",
    "execute_tool memory",
    "execute_tool time",
    "execute_tool time",
    "gateway delegate",
    "gateway openai",
    "invoke_agent openclaw",
    "invoke_agent worker",
    "turn",
    "turn",
  ]);
  const [gateway] = named(spans, "gateway openai");
  expect(gateway?.parent_span_id).toBe("b7ad6b7169203331");
  const [agent] = named(spans, "invoke_agent openclaw");
  expect(parentOf(agent)?.name).toBe("turn");
  expect(parentOf(parentOf(agent))?.name).toBe("gateway openai");
  expect(agent?.events.map(({ name }) => name)).toContain("retry");
  const [inner] = named(spans, "gateway delegate");
  expect(parentOf(inner)?.name).toBe("execute_tool delegate_agent");
  const failed = named(spans, "chat scripted").filter(({ status }) => status?.code === 2);
  expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual(["provider_error"]);
  const good = named(spans, "chat scripted").find(({ status }) => status === undefined);
  expect(good?.attributes).toMatchObject({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "scripted",
    "gen_ai.response.model": "scripted",
    "gen_ai.usage.input_tokens": 10,
    "server.address": "127.0.0.1",
  });
  // Every call went on with the trace, as a child of its own span.
  const told = model.requests.map(({ headers }) => headers.get("traceparent")?.split("-")[2]);
  expect(told.toSorted()).toEqual(
    named(spans, "chat scripted")
      .map(({ span_id }) => span_id)
      .toSorted(),
  );
  // Nothing of what was said.
  expect(JSON.stringify(spans, (_, value) => (typeof value === "bigint" ? `${value}` : value))).not.toContain(
    "do it",
  );

  expect(collector.requests.every(({ headers }) => headers.get("x-tenant") === "one two")).toBe(true);
  expect(collector.logs.map(({ body }) => body)).toContain("Stopping: running turns may finish.");
  const metric = (name: string) => collector.metrics().find((each) => each.name === name);
  expect(metric("openclaw.turn.duration")?.histogram?.data_points[0]?.count).toBe(2);
  expect(turnsTold(collector)).toBe(2);
  expect(metric("gen_ai.client.inference.duration")?.histogram?.data_points[0]?.attributes).toEqual({
    "gen_ai.request.model": "scripted",
    "error.type": "provider_error",
    "gen_ai.operation.name": "chat",
  });
  expect(metric("gen_ai.client.token.usage")?.histogram?.data_points.length).toBe(2);
  expect(metric("process.resident.memory")?.unit).toBe("By");
});

test("the executable puts what was said into the traces when it may, without the secrets, and leaves out the older names", async () => {
  await using collector = startCollector();
  await using model = scriptedModel(play);
  await using server = await startExecutable({
    ...settingsOf(collector, model),
    OPENCLAW_TRACE_CONTENT: "true",
    OTEL_SEMCONV_STABILITY_OPT_IN: "gen_ai_latest_experimental",
  });
  expect(await ask(server)).toContain("All is done.");
  await collector.until(() => collector.spans.length >= 15);
  await server.stop();

  expectConnected(collector.spans);
  const [memory] = named(collector.spans, "execute_tool memory");
  expect(memory?.attributes["gen_ai.tool.call.arguments"]).toContain("the key is ***");
  const [chat] = named(collector.spans, "chat scripted");
  expect(chat?.attributes["gen_ai.input.messages"]).toContain("Do it.");
  for (const { body } of collector.requests) expect(Buffer.from(body).includes(secret)).toBe(false);
  expect(collector.metrics().map(({ name }) => name)).not.toContain("gen_ai.client.token.usage");
});
