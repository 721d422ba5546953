import { SQL } from "bun";
import { expect, test } from "bun:test";
import { createGate } from "../../../src/store/postgres/reader.ts";
import { withPostgres } from "../with-postgres.ts";

test("createGate lets so many run at once, in order, and hands a place on after a failure", async () => {
  const gate = createGate(2, 10_000);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const acts = Array.from({ length: 20 }, (_, index) =>
    gate(async () => {
      most = Math.max(most, (running += 1));
      order.push(index);
      await Promise.resolve();
      running -= 1;
      if (index % 3 === 0) throw new Error("failed");
    }),
  );
  const ends = await Promise.allSettled(acts);
  expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(7);
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test("createGate refuses who waits too long, and nobody else", async () => {
  const gate = createGate(1, 20);
  const { promise, resolve } = Promise.withResolvers<void>();
  const holding = gate(() => promise);
  await expect(gate(async () => {})).rejects.toMatchObject({ code: "busy" });
  resolve();
  await holding;
  expect(await gate(async () => "in")).toBe("in");
});

test("read runs side by side on its connections, while a write takes its time", async () => {
  await withPostgres(
    async (store, url) => {
      await using other = new SQL({ url, max: 1 });
      const holder = await other.reserve();
      await holder`SELECT pg_advisory_lock(1)`;
      let isWritten = false;
      const writing = store
        .write((tx) => tx`SELECT pg_advisory_xact_lock(1)`)
        .then(() => {
          isWritten = true;
        });
      const rows = await Promise.all(
        Array.from({ length: 50 }, () =>
          store.read((tx) => tx`SELECT pg_backend_pid() AS pid, pg_sleep(0.01)`),
        ),
      );
      const pids = new Set(rows.map(([row]) => row?.pid));
      expect(pids.size).toBeGreaterThan(1);
      expect(pids.size).toBeLessThanOrEqual(4);
      expect(isWritten).toBe(false);
      await holder`SELECT pg_advisory_unlock(1)`;
      holder.release();
      await writing;
    },
    { databasePool: 6 },
  );
});
