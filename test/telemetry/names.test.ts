import { expect, test } from "bun:test";
import { names, spanNames } from "../../src/telemetry/names.ts";

test("names are those of semantic-conventions-genai v0.1.0, and each is there once", () => {
  expect(names).toMatchObject({
    operation: "gen_ai.operation.name",
    provider: "gen_ai.provider.name",
    conversation: "gen_ai.conversation.id",
    agent: "gen_ai.agent.name",
    requestModel: "gen_ai.request.model",
    responseModel: "gen_ai.response.model",
    finishReasons: "gen_ai.response.finish_reasons",
    inputTokens: "gen_ai.usage.input_tokens",
    outputTokens: "gen_ai.usage.output_tokens",
    cachedTokens: "gen_ai.usage.cache_read.input_tokens",
    toolName: "gen_ai.tool.name",
    toolType: "gen_ai.tool.type",
    toolCall: "gen_ai.tool.call.id",
    errorType: "error.type",
    serverAddress: "server.address",
    serverPort: "server.port",
  });
  const all = Object.values<string>(names);
  expect(new Set(all).size).toBe(all.length);
  for (const name of all) expect(name).toMatch(/^(?:gen_ai|openclaw|server|error)\.[a-z_.]+$/);
});

test("spanNames are the operation and what it is about", () => {
  expect(spanNames.agent("worker")).toBe("invoke_agent worker");
  expect(spanNames.chat("gpt-4o")).toBe("chat gpt-4o");
  expect(spanNames.tool("time")).toBe("execute_tool time");
});

test("names stand in no other file", async () => {
  const src = `${import.meta.dir}/../../src`;
  const files = await Array.fromAsync(new Bun.Glob("**/*.ts").scan(src));
  const texts = await Promise.all(
    files.map(async (file) => [file, await Bun.file(`${src}/${file}`).text()] as const),
  );
  const others = texts.filter(([file, text]) => text.includes('"gen_ai.') && !file.startsWith("telemetry/"));
  expect(others.map(([file]) => file)).toEqual([]);
});
