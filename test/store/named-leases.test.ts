import { expect } from "bun:test";
import { createOnlyOne } from "../../src/channels/only-one.ts";
import * as leases from "../../src/store/named-leases.ts";
import { forEachStore } from "./stores.ts";

forEachStore(
  "hold gives a name to one owner, until its beat stands still or it is given back",
  async (store) => {
    const hold = (owner: string, seen?: number) => store.write((tx) => leases.hold(tx, "poll", owner, seen));
    expect(await hold("a")).toEqual({ held: true });
    expect(await hold("b")).toEqual({ held: false, beat: 1 });
    expect(await hold("a")).toEqual({ held: true });
    expect(await hold("b", 1)).toEqual({ held: false, beat: 2 });
    expect(await hold("b", 2)).toEqual({ held: true });
    expect(await hold("a")).toEqual({ held: false, beat: 3 });
    await store.write((tx) => leases.release(tx, "poll", "a"));
    expect(await hold("a")).toMatchObject({ held: false });
    await store.write((tx) => leases.release(tx, "poll", "b"));
    expect(await hold("a")).toEqual({ held: true });
  },
);

forEachStore("hold lets one of many have what stands still", async (store) => {
  await store.write((tx) => leases.hold(tx, "poll", "gone"));
  const tries = Array.from({ length: 5 }, (_, at) =>
    store.write((tx) => leases.hold(tx, "poll", `process ${at}`, 1)),
  );
  expect((await Promise.all(tries)).filter(({ held }) => held)).toHaveLength(1);
});

forEachStore(
  "createOnlyOne is one process, and another when that was silent for the lease",
  async (store) => {
    let now = 0;
    const make = () => createOnlyOne(store, "poll", { leaseMs: 100, now: () => now });
    const first = await make();
    const second = await make();
    expect(await first.isMine()).toBe(true);
    // One process has its SQLite for itself: there it is always the one.
    const alone = (await store.read(async (tx) => tx.dialect.name)) === "sqlite";
    expect(await second.isMine()).toBe(alone);
    now = 99;
    expect(await second.isMine()).toBe(alone);
    now = 100;
    expect(await second.isMine()).toBe(true);
    expect(await first.isMine()).toBe(alone);
    await second.giveUp();
    expect(await first.isMine()).toBe(true);
  },
);
