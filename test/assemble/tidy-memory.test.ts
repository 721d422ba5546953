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
    processorMs: () => 0,
    collect: () => {
      collected += 1;
      resident = 90 * mebibyte;
    },
    shrink: () => {},
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

test("createTidying lets compiled code go after a long rest, and again only when as much has come back", () => {
  let resident = 60 * mebibyte;
  let worked = 0;
  let busy = false;
  let workEachLook = 1;
  let shrunk = 0;
  const look = createTidying({
    isBusy: () => busy,
    residentBytes: () => resident,
    processorMs: () => worked,
    collect: () => {
      resident = 100 * mebibyte;
    },
    shrink: () => {
      shrunk += 1;
      resident = 80 * mebibyte;
    },
  });
  const looks = (times: number) => {
    for (let n = 0; n < times; n++) {
      worked += workEachLook;
      look();
    }
  };

  resident = 200 * mebibyte;
  workEachLook = 100;
  looks(30);
  expect(shrunk).toBe(0);
  workEachLook = 1;
  looks(9);
  expect(shrunk).toBe(0);
  looks(30);
  expect(shrunk).toBe(1);
  resident = 95 * mebibyte;
  looks(30);
  expect(shrunk).toBe(1);
  resident = 130 * mebibyte;
  busy = true;
  looks(30);
  expect(shrunk).toBe(1);
  busy = false;
  looks(30);
  expect(shrunk).toBe(1);
  resident = 105 * mebibyte;
  looks(30);
  expect(shrunk).toBe(2);
});
