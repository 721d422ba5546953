import { expect, test } from "bun:test";
import { openSettings, startGateway } from "./helpers/gateway-server.ts";

const page = "https://page.example";
const listed = { settings: { allowedOrigins: [page] } };
const preflight = (origin: string, more: Record<string, string> = {}) => ({
  method: "OPTIONS",
  token: null,
  headers: { origin, "access-control-request-method": "POST", ...more },
});

test("a page of a listed origin may ask, with a token and without cookies", async () => {
  await using gateway = await startGateway(listed);
  const asked = { "access-control-request-headers": "authorization,content-type,x-stainless-os" };

  const answer = await gateway.ask("/v1/chat/completions", preflight(page, asked));

  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-origin")).toBe(page);
  expect(answer.headers.get("access-control-allow-headers")).toBe(asked["access-control-request-headers"]);
  expect(answer.headers.get("access-control-allow-methods")).toContain("DELETE");
  expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
  expect(answer.headers.has("access-control-allow-private-network")).toBe(false);
  expect(answer.headers.get("vary")).toContain("Origin");
});

test("a page of a listed origin may read answers, streams and errors", async () => {
  await using gateway = await startGateway(listed);
  const headers = { origin: page };
  const messages = [{ role: "user", content: "x" }];
  const answers = [
    await gateway.ask("/api/status", { headers }),
    await gateway.ask("/api/status", { headers, token: null }),
    await gateway.post("/v1/chat/completions", { messages, stream: true }, { headers }),
    await gateway.post("/v1/responses", { input: "x" }, { headers }),
    await gateway.post("/v1/responses", {}, { headers }),
    await gateway.ask("/v1/nothing", { headers }),
  ];

  expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200, 400, 404]);
  for (const answer of answers) {
    expect(answer.headers.get("access-control-allow-origin")).toBe(page);
    expect(answer.headers.get("access-control-expose-headers")).toContain("retry-after");
    await answer.text();
  }
});

test("no other page may ask or read, and none does elsewhere", async () => {
  await using gateway = await startGateway(listed);
  const answers = [
    await gateway.ask("/v1/models", preflight("https://other.example")),
    await gateway.ask("/v1/models", preflight("null")),
    await gateway.ask("/chat", preflight(page)),
    await gateway.ask("/metrics", { headers: { origin: page } }),
    await gateway.ask("/v1/models", { headers: { origin: "https://page.example.evil.example" } }),
    await gateway.ask("/api/status"),
  ];

  for (const answer of answers) expect(answer.headers.has("access-control-allow-origin")).toBe(false);
  expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([403, 403]);
});

test("without a token no page is let in, listed or not", async () => {
  await using gateway = await startGateway({ settings: { ...openSettings, allowedOrigins: [page] } });

  const answer = await gateway.ask("/v1/models", preflight(page));

  expect(answer.status).toBe(403);
  expect(answer.headers.has("access-control-allow-origin")).toBe(false);
});
