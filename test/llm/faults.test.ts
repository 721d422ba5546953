import { expect, test } from "bun:test";
import { createFaults, readRetryAfter } from "../../src/llm/faults.ts";
import { withLiveKeys } from "../../src/llm/live-keys.ts";
import { inferProviders } from "../../src/llm/providers.ts";
import { hideSecrets } from "../../src/telemetry/mask.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

test.each([
  [{}, undefined],
  [{ "retry-after": "30" }, 30_000],
  [{ "retry-after": "0" }, 0],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after": "Thu, 01 Jan 2026 00:00:20 GMT" }, 20_000],
  [{ "retry-after": "Wed, 31 Dec 2025 23:00:00 GMT" }, 0],
  [{ "retry-after": "-5" }, 0],
  [{ "retry-after": "" }, undefined],
  [{ "retry-after": "999999999" }, 3_600_000],
  [{ "retry-after-ms": "250", "retry-after": "30" }, 250],
  [{ "retry-after-ms": "x", "retry-after": "30" }, 30_000],
])("readRetryAfter reads %j as %p ms", (headers, expected) => {
  expect(readRetryAfter(new Headers(headers as Record<string, string>), now)).toBe(expected);
});

test("createFaults names the host without the password in its address", () => {
  const faults = createFaults({
    name: "test",
    isNamed: false,
    endpoint: "http://user:secret@gateway.example:8080/v1",
  });
  const all = [
    faults.refused(404, "", new Headers()),
    faults.refused(500, "", new Headers()),
    faults.unreachable(new Error("x")),
    faults.timedOut("was slow"),
  ];
  for (const { message } of all) {
    expect(message).toContain("gateway.example:8080");
    expect(message).not.toContain("secret");
  }
});

test("createFaults shows neither the key that a reload brought nor one that calls may still be using", () => {
  const keys = ["the-first-key-of-all", "the-second-key-of-all", "the-third-key-of-all"];
  const providersOf = (key: string) => inferProviders({ provider: "openai", key, timeoutMs: 1000 });
  const [first = "", ...later] = keys;
  const live = withLiveKeys(providersOf(first));
  const faults = createFaults(live.providers[0]);
  for (const key of later) live.take(providersOf(key));
  // As a server does with every key that it is given.
  hideSecrets(keys.slice(0, 2));

  const body = JSON.stringify({ error: { message: `Incorrect key: ${keys.join(" ")}` } });
  const { message, upstream } = faults.refused(401, body, new Headers());
  expect(message).toEndWith("It said: Incorrect key: [key] [key] [key]");
  expect(upstream?.said).toBe("Incorrect key: [key] [key] [key]");
});

test("createFaults tells a certificate that is not valid", () => {
  const faults = createFaults({ name: "test", isNamed: false, endpoint: "https://gateway.example/v1" });
  const error = Object.assign(new Error("self signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  expect(faults.unreachable(error).message).toContain("its certificate is not valid");
});

test.each([
  ['{"error":{"message":"a"}}', "a"],
  ['{"error":"b"}', "b"],
  ['{"message":"c"}', "c"],
  ['{"detail":"d"}', "d"],
  ['[{"error":{"message":"e"}}]', "e"],
  ["just text", "just text"],
])("createFaults finds the sentence in %s", (body, sentence) => {
  const faults = createFaults({ name: "test", isNamed: false, endpoint: "http://127.0.0.1/v1" });
  expect(faults.refused(500, body, new Headers()).message).toEndWith(`It said: ${sentence}`);
});
