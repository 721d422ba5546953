import { expect, test } from "bun:test";
import { createRandom } from "../../scripts/fuzz/random.ts";
import { surfaces } from "../../scripts/fuzz/surfaces/index.ts";
import { smallest } from "../../scripts/fuzz/smallest.ts";

test("smallest cuts an input down to what does the harm", async () => {
  const input = Buffer.from(`${"a".repeat(300)}X${"b".repeat(200)}Y`);
  const still = async (bytes: Uint8Array) => /X.*Y/.test(Buffer.from(bytes).toString());
  const small = Buffer.from(await smallest(input, still)).toString();
  expect(small).toMatch(/X.*Y/);
  expect(small.length).toBeLessThan(20);
});

test("every surface makes the same input for the same seed, and another for another", () => {
  for (const { name, make } of surfaces) {
    const of = (seed: number) =>
      Array.from({ length: 5 }, (_, at) => Buffer.from(make(createRandom(seed, name, at))).toString("hex"));
    expect(of(3)).toEqual(of(3));
    expect(of(3)).not.toEqual(of(4));
  }
});
