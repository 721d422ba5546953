import { expect, test } from "bun:test";
import { createTidying } from "../../src/assemble/tidy-memory.ts";

const mebibyte = 1024 * 1024;

test("createTidying collects once it has been quiet, and again only after new growth", () => {
  let resident = 60 * mebibyte;
  let busy = true;
  let collected = 0;
  const look = createTidying({
    isBusy: () => busy,
    residentBytes: () => resident,
    collect: () => {
      collected += 1;
      resident = 90 * mebibyte;
    },
  });
  const looks = (times: number) => {
    for (let n = 0; n < times; n++) look();
  };

  resident = 200 * mebibyte;
  looks(10);
  expect(collected).toBe(0);
  busy = false;
  looks(2);
  expect(collected).toBe(0);
  looks(10);
  expect(collected).toBe(1);
  resident = 100 * mebibyte;
  looks(10);
  expect(collected).toBe(1);
  resident = 107 * mebibyte;
  looks(10);
  expect(collected).toBe(2);
});
