import { expect, test } from "bun:test";
import { withBulkhead } from "../../src/llm/bulkhead.ts";
import type { Llm } from "../../src/llm/llm.ts";
import { aRequest, collect, kinds } from "./asking.ts";
import { answer, failed, scripted, text, whole } from "./scripted.ts";

/** A model that answers when it is told to. */
function gated() {
  const gates: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const llm: Llm = async function* gatedLlm() {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => void gates.push(resolve));
    yield text("hi");
    running--;
    yield answer("hi");
  };
  return { llm, gates, most: () => most };
}

test("withBulkhead lets so many calls run at once and the others in order", async () => {
  const { llm, gates, most } = gated();
  const bounded = withBulkhead(llm, "lab", { most: 2, waitMs: 60_000 });
  const all = Promise.all(Array.from({ length: 7 }, () => collect(bounded(aRequest()))));
  for (let ended = 0; ended < 7;) {
    gates.shift()?.() ?? (await Bun.sleep(0));
    ended = await Promise.race([all.then(() => 7), Bun.sleep(0).then(() => 0)]);
  }
  expect((await all).map(kinds)).toEqual(Array(7).fill(["hi", "answer"]));
  expect(most()).toBe(2);
});

test("withBulkhead does not wait for a place for long, nor for one that nobody wants any more", async () => {
  const { llm, gates } = gated();
  const bounded = withBulkhead(llm, "lab", { most: 1, waitMs: 20 });
  const first = collect(bounded(aRequest()));
  const cancel = new AbortController();
  const second = collect(bounded(aRequest({ signal: cancel.signal })));
  cancel.abort();
  await expect(second).rejects.toMatchObject({ code: "cancelled" });
  await expect(collect(bounded(aRequest()))).rejects.toMatchObject({ code: "unavailable" });
  gates.shift()?.();
  expect(kinds(await first)).toEqual(["hi", "answer"]);
});

test("withBulkhead has its place back however a call ends", async () => {
  const { llm } = scripted([[failed(500)], [text("a"), failed(500)], whole("left"), whole("hi")]);
  const bounded = withBulkhead(llm, "lab", { most: 1, waitMs: 20 });
  await expect(collect(bounded(aRequest()))).rejects.toThrow("failed 500");
  await expect(collect(bounded(aRequest()))).rejects.toThrow("failed 500");
  for await (const _ of bounded(aRequest())) break;
  expect(kinds(await collect(bounded(aRequest())))).toEqual(["hi", "answer"]);
});
