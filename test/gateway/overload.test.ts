import { expect, test } from "bun:test";
import { startInProcess } from "../helpers/in-process.ts";
import { scriptedModel } from "../helpers/model-server.ts";

const question = { model: "openclaw", messages: [{ role: "user", content: "hello" }] };
const sessionHeader = { headers: { "x-openclaw-session-id": "s" } };

test("createGateway answers more requests than its mark with 503 and Retry-After, and takes the next one when one is over", async () => {
  const release = Promise.withResolvers<void>();
  await using model = scriptedModel(() => ({ text: "ok", gate: () => release.promise }), { models: ["m"] });
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    OPENCLAW_MAX_REQUESTS: "2",
  });
  const running = [
    server.ask("/v1/chat/completions", question),
    server.ask("/v1/chat/completions", question),
  ];
  while (model.requests.length < 2) await Bun.sleep(5);

  const refused = await server.ask("/api/status");
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect((await refused.json()).error.code).toBe("busy");
  for (const path of ["/health/live", "/health/ready", "/metrics"])
    expect((await server.ask(path)).status).toBe(200);

  release.resolve();
  for (const answer of await Promise.all(running)) expect(await answer.text()).toContain("ok");
  expect((await server.ask("/api/status")).status).toBe(200);
});

test("createGateway refuses new turns over the memory mark, and is not ready, while the rest is answered", async () => {
  await using server = await startInProcess({ OPENCLAW_MEMORY_MARK_BYTES: "1" });
  for (const init of [{}, sessionHeader]) {
    const refused = await server.ask("/v1/chat/completions", question, init);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await refused.json()).error.message).toBe("Server is busy. Please retry.");
  }
  const ready = await server.ask("/health/ready");
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ failing: "memory" });
  expect((await server.ask("/api/sessions")).status).toBe(200);
  expect((await server.ask("/health/live")).status).toBe(200);
});

test("hung turns, a chatty session and a body that never ends keep nobody else waiting", async () => {
  await using model = scriptedModel(
    ({ messages }) =>
      JSON.stringify(messages).includes("stand still") ? { hang: "headers" } : { text: "at once" },
    { models: ["m"] },
  );
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    OPENCLAW_DRAIN_SECONDS: "0",
  });
  const leave = new AbortController();
  const { signal } = leave;
  const hung = { model: "openclaw", messages: [{ role: "user", content: "stand still" }] };
  const slow = (session: string) =>
    server
      .ask("/v1/chat/completions", hung, { headers: { "x-openclaw-session-id": session }, signal })
      .catch(() => undefined);
  const waiting = Array.from({ length: 50 }, (_, at) => slow(`hung-${at}`));
  const chatty = Array.from({ length: 15 }, () => slow("chatty"));
  const endless = server
    .ask("/v1/chat/completions", undefined, {
      method: "POST",
      signal,
      body: new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(16)) }),
    })
    .catch(() => undefined);
  while (model.requests.length < 51) await Bun.sleep(5);
  for (let at = 0; at < 5; at++) {
    const before = performance.now();
    const answer = await server.ask("/v1/chat/completions", question, {
      headers: { "x-openclaw-session-id": `quick-${at}` },
    });
    expect(await answer.text()).toContain("at once");
    // Alone it takes some 10 ms.
    expect(performance.now() - before).toBeLessThan(2000);
  }
  leave.abort();
  await Promise.all([...waiting, ...chatty, endless]);
});

test("createGateway takes every turn without a memory mark", async () => {
  await using server = await startInProcess({ OPENCLAW_MEMORY_MARK_BYTES: "0" });
  expect((await server.ask("/v1/chat/completions", question)).status).toBe(200);
});
