import { expect } from "bun:test";
import * as parts from "../../src/store/held-parts.ts";
import { forEachStore } from "./stores.ts";

const album = { channel: "post", place: "7", whole: "a" };
const aPart = (number: number, more: object = {}) => ({
  ...album,
  id: `d${number}`,
  number,
  part: `part ${number}`,
  ...more,
});

forEachStore("held parts are read in their order, and of one message only", async (store) => {
  await store.write(async (tx) => {
    await parts.hold(tx, aPart(3), 20, 9);
    await parts.hold(tx, aPart(2), 10, 9);
    await parts.hold(tx, aPart(4, { whole: "b" }), 30, 9);
    await parts.hold(tx, aPart(5, { place: "8" }), 40, 9);
  });
  expect(await store.read((tx) => parts.listOf(tx, "post", "7", 9))).toEqual([
    { ...album, since: 10, lastAt: 20 },
    { ...album, whole: "b", since: 30, lastAt: 30 },
  ]);
  expect(await store.read((tx) => parts.list(tx, "post", 9))).toHaveLength(3);
  expect(await store.read((tx) => parts.read(tx, album, 9))).toEqual([
    { id: "d2", part: "part 2" },
    { id: "d3", part: "part 3" },
  ]);
});

forEachStore("hold keeps no more than it may in one place", async (store) => {
  const hold = (number: number, more: object = {}) =>
    store.write((tx) => parts.hold(tx, aPart(number, more), 1, 2));
  expect(await Promise.all([hold(1), hold(2, { whole: "b" }), hold(3)])).toEqual([true, true, false]);
  expect(await hold(4, { place: "8" })).toBe(true);
});

forEachStore("release says when a part was gone", async (store) => {
  await store.write((tx) => parts.hold(tx, aPart(1), 1, 9));
  const release = () => store.write((tx) => parts.release(tx, "post", ["d1"]));
  expect([await release(), await release()]).toEqual([true, false]);
});
