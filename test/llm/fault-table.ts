import type { ErrorCode } from "../../src/errors.ts";
import type { Step } from "../helpers/model-server.ts";

const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
const manyCalls = Array.from({ length: 10_000 }, (_, at) => ({
  index: at,
  id: `call_${at}`,
  function: { name: "time", arguments: "{}" },
}));
const euro = new TextEncoder().encode(chunk({ content: "€" }));

/** Everything that a provider may do instead of answering, and how that ends. Only a step with `text` says something first. */
export const faults: readonly (readonly [string, Step, ErrorCode])[] = [
  ...[400, 401, 402, 403, 408, 409, 413, 500, 502, 503, 504, 529].map(
    (status) => [`a ${status}`, { status }, "provider_error"] as const,
  ),
  ["a 404", { status: 404 }, "provider_error"],
  [
    "a 404 for the model",
    { status: 404, body: '{"error":{"message":"The model x does not exist"}}' },
    "model_not_found",
  ],
  ["a 429", { status: 429, headers: { "retry-after": "0" } }, "rate_limited"],
  ["a 429 with a long wait", { status: 429, headers: { "retry-after": "3000" } }, "rate_limited"],
  ["a 429 without a wait", { status: 429 }, "rate_limited"],
  ["a redirect", { status: 307, headers: { location: "http://evil.invalid/v1" } }, "provider_error"],
  ["silence before the headers", { hang: "headers" }, "provider_timeout"],
  ["silence after the headers", { rawBytes: [": hi\n\n"], hang: "body" }, "provider_timeout"],
  ["silence between tokens", { text: ["a"], hang: "body" }, "provider_timeout"],
  ["a slow drip", { text: Array(500).fill("drip "), gate: () => Bun.sleep(15) }, "provider_timeout"],
  ["a cut", { text: ["a", "b"], closeAfter: 1 }, "provider_error"],
  ["a reset", { text: ["a", "b"], closeAfter: 1, closeHow: "reset" }, "provider_error"],
  ["a reset before the first token", { rawBytes: [": hi\n\n"], closeHow: "reset" }, "provider_error"],
  [
    "a cut in a call",
    { rawBytes: [chunk({ tool_calls: [{ id: "a", function: { name: "t", arguments: '{"a' } }] })] },
    "provider_error",
  ],
  ["a cut in a character", { rawBytes: [euro.slice(0, euro.indexOf(0xe2) + 1)] }, "provider_error"],
  ["garbage", { rawBytes: ["data: {nonsense\n\n"] }, "provider_error"],
  ["a page", { body: "<html>hello</html>", headers: { "content-type": "text/html" } }, "provider_error"],
  ["nothing", { body: "" }, "provider_error"],
  ["an error in a 200", { body: '{"error":{"message":"no","code":500}}' }, "provider_error"],
  ["ten thousand calls", { rawBytes: [chunk({ tool_calls: manyCalls })] }, "provider_error"],
  ["one huge event", { rawBytes: Array(40).fill(`data: ${"x".repeat(300_000)}`) }, "provider_error"],
  ["broken gzip", { rawBytes: ["no gzip"], headers: { "content-encoding": "gzip" } }, "provider_error"],
];
