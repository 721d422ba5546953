import { expect, test } from "bun:test";
import { startInProcess } from "../helpers/in-process.ts";
import { scriptedModel } from "../helpers/model-server.ts";

test("the metrics count the turns that run and those that wait for a slot, with a session and without", async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  await using model = scriptedModel(async () => {
    await answered;
    return { text: "x" };
  });
  await using server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_MAX_CONCURRENT_TURNS: "1",
  });
  const status = async () => (await (await server.ask("/api/status")).json()).turns;
  const asked = [1, 2].map(() =>
    server.ask("/v1/chat/completions", { messages: [{ role: "user", content: "x" }] }),
  );
  for (const session of ["a", "b"]) await server.ask(`/api/sessions/${session}/messages`, { text: "x" });
  const until = performance.now() + 15_000;
  while ((await status()).waiting < 3 && performance.now() < until) await Bun.sleep(1);

  expect(await status()).toEqual({ running: 1, waiting: 3 });
  expect(await (await server.ask("/metrics")).json()).toMatchObject({ turnsRunning: 1, turnsWaiting: 3 });
  const text = await (await server.ask("/metrics/prometheus")).text();
  expect(text).toContain("\nopenclaw_turns_running 1\n");
  expect(text).toContain("\nopenclaw_turns_waiting 3\n");

  answer();
  for (const response of asked) expect((await response).status).toBe(200);
});
