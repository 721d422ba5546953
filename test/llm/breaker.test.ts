import { afterEach, expect, setSystemTime, test } from "bun:test";
import { AppError, cancelled } from "../../src/errors.ts";
import { createBreakers } from "../../src/llm/breaker.ts";
import type { LlmEvent } from "../../src/llm/llm.ts";
import { setUpLog } from "../../src/telemetry/log.ts";
import { readGauges } from "../../src/telemetry/metrics.ts";
import { until } from "../helpers/until.ts";
import { aRequest, collect, kinds } from "./asking.ts";
import { failed, scripted, text, whole } from "./scripted.ts";

setUpLog({ level: "error", pretty: false });
afterEach(() => void setSystemTime());

function guarded(calls: readonly (readonly (LlmEvent | Error)[])[], threshold = 3) {
  const { llm, requests, open } = scripted(calls);
  const breakers = createBreakers({ threshold, cooldownMs: 30_000 });
  const guardedLlm = breakers.wrap(llm, "lab", "m");
  const ask = () => collect(guardedLlm(aRequest()));
  const fail = async (times: number) => {
    for (let left = times; left > 0; left--) await ask().catch(() => undefined);
  };
  return { llm: guardedLlm, breakers, ask, fail, requests, open };
}
const failures = (times: number) => Array.from({ length: times }, () => [failed(500)]);
const later = () => setSystemTime(Date.now() + 30_001);

test("createBreakers opens after so many failures in a row, says so and refuses at once", async () => {
  const { llm, breakers, ask, fail, requests } = guarded(failures(3));
  await fail(2);
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "closed" }]);
  const events: LlmEvent[] = [];
  await (async () => {
    for await (const event of llm(aRequest())) events.push(event);
  })().catch(() => undefined);
  expect(events).toMatchObject([{ code: "breaker", retryInMs: expect.any(Number) }]);
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "open" }]);
  expect(readGauges().circuitBreakerState).toBe(1);
  await expect(ask()).rejects.toMatchObject({ code: "unavailable", retryAfterMs: expect.any(Number) });
  expect(requests).toHaveLength(3);
});

test("createBreakers begins to count anew after an answer", async () => {
  const { breakers, ask, fail } = guarded([...failures(2), whole("hi"), ...failures(2)]);
  await fail(2);
  await ask();
  expect(breakers.states()).toEqual([]);
  await fail(2);
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "closed" }]);
});

test("createBreakers counts an answer that breaks in the middle", async () => {
  const { breakers, fail } = guarded(Array.from({ length: 3 }, () => [text("a"), failed(500)]));
  await fail(3);
  await until("it is noted", () => breakers.states()[0]?.state === "open");
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "open" }]);
});

test.each([400, 401, 404, 413])(
  "createBreakers does not hold a refusal (%p) against a model",
  async (status) => {
    const { breakers, fail } = guarded(Array.from({ length: 5 }, () => [failed(status)]));
    await fail(5);
    expect(breakers.states()).toEqual([]);
  },
);

test("createBreakers lets one call through after the pause, and closes when that is answered", async () => {
  const { llm, breakers, ask, fail, requests } = guarded([...failures(3), whole("hi"), whole("ho")]);
  await fail(3);
  later();
  const probing = llm(aRequest())[Symbol.asyncIterator]();
  expect((await probing.next()).value).toMatchObject({
    code: "breaker",
    text: "trying whether lab/m is back",
  });
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "half-open" }]);
  await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
  while (!(await probing.next()).done);
  await until("it is noted", () => breakers.states().length === 0);
  expect(readGauges().circuitBreakerState).toBe(0);
  expect(kinds(await ask())).toEqual(["ho", "answer"]);
  expect(requests).toHaveLength(5);
});

test.each([
  ["fails", failed(500)],
  ["is cancelled", cancelled()],
  ["is turned away before it asks", new AppError("budget_exceeded", "spent")],
])("createBreakers stays open when the probe %s", async (_, error) => {
  const { breakers, ask, fail } = guarded([...failures(3), [error], whole("hi")]);
  await fail(3);
  later();
  await expect(ask()).rejects.toBe(error);
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "open" }]);
  later();
  expect(kinds(await ask())).toEqual(["status", "hi", "answer"]);
});

test("createBreakers is not held by a probe whose reader leaves", async () => {
  const { llm, breakers, fail, open } = guarded([...failures(3), whole("hi")]);
  await fail(3);
  later();
  for await (const _ of llm(aRequest())) break;
  expect(breakers.states()).toEqual([{ model: "lab/m", state: "open" }]);
  expect(open()).toBe(0);
});

test("createBreakers keeps models apart", async () => {
  const { llm } = scripted([...failures(3), whole("hi")]);
  const guardedLlm = createBreakers({ threshold: 3, cooldownMs: 30_000 }).wrap(llm, "lab");
  const ask = (model: string) => collect(guardedLlm(aRequest({ model })));
  for (let left = 3; left > 0; left--) await ask("bad").catch(() => undefined);
  await expect(ask("bad")).rejects.toMatchObject({ code: "unavailable" });
  expect(kinds(await ask("good"))).toEqual(["hi", "answer"]);
});

test("createBreakers with a threshold of 0 never opens", async () => {
  const { ask, fail } = guarded([...failures(9), whole("hi")], 0);
  await fail(9);
  expect(kinds(await ask())).toEqual(["hi", "answer"]);
});
