import { expect, test } from "bun:test";
import { createSlices } from "../../../src/sandbox/files/slices.ts";

const spin = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test("createSlices lets the event loop turn between the acts of many, and all come to their end", async () => {
  const nextSlice = createSlices();
  let turns = 0;
  let goesOn = true;
  const turn = () => {
    turns += 1;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  const one = async () => {
    for (let n = 0; n < 5; n += 1) {
      await nextSlice();
      spin(1);
    }
    return "done";
  };
  expect(await Promise.all(Array.from({ length: 20 }, one))).toEqual(Array(20).fill("done"));
  goesOn = false;
  // 100 ms of work in slices of two.
  expect(turns).toBeGreaterThan(20);
});

test("createSlices goes on at once within a slice", async () => {
  const nextSlice = createSlices();
  await nextSlice();
  const heard: string[] = [];
  queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => heard.push("later"))));
  await nextSlice();
  heard.push("at once");
  await Bun.sleep(0);
  expect(heard).toEqual(["at once", "later"]);
});
