import { SQL } from "bun";
import { expect, test } from "bun:test";
import type { Store } from "../../../src/store/open.ts";
import { reachServer } from "../../../src/store/postgres/server.ts";
import { openSession } from "../../../src/store/postgres/session.ts";
import type { Tx } from "../../../src/store/tx.ts";
import { withPostgres, withStoreAt } from "../with-postgres.ts";

const words = {
  sql: `
    CREATE TABLE words (word TEXT PRIMARY KEY, uses BIGINT NOT NULL);
    CREATE TABLE rhymes (word TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO words VALUES ('x', 0), ('y', 0);`,
};
const options = { migrations: [words] };

const add = async (tx: Tx, word: string) => {
  await tx`INSERT INTO words (word, uses) VALUES (${word}, 0)`;
  return word;
};
const use = (tx: Tx, word: string) => tx`UPDATE words SET uses = uses + 1 WHERE word = ${word}`;
const wordsIn = async (store: Store) =>
  (await store.read((tx) => tx`SELECT word FROM words WHERE word NOT IN ('x', 'y') ORDER BY word`)).map(
    ({ word }) => word,
  );
const usesOf = async (store: Store) =>
  (await store.read((tx) => tx`SELECT uses FROM words WHERE word IN ('x', 'y') ORDER BY word`)).map(
    ({ uses }) => Number(uses),
  );

test("createPostgresWriter undoes and rejects the one that throws, and commits those beside it at once", async () => {
  await withPostgres(async (store) => {
    const results = await Promise.allSettled([
      store.write((tx) => add(tx, "a")),
      store.write(async (tx) => {
        await add(tx, "b");
        throw new Error("not b");
      }),
      store.write((tx) => tx`SELECT nonsense`),
      store.write(async (tx) => {
        await add(tx, "c");
        // Nobody awaits it, and yet it must not take the others with it.
        tx`SELECT 1 / 0`.catch(() => {});
      }),
      store.write((tx) => add(tx, "d")),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(results[1]).toMatchObject({ reason: new Error("not b") });
    expect(results[3]).toMatchObject({ reason: { code: "internal", cause: { errno: "22012" } } });
    expect(await wordsIn(store)).toEqual(["a", "d"]);
    expect(store.commits()).toBe(1);
  }, options);
});

test("createPostgresWriter fails a write with its failed statement even when its caller made light of it", async () => {
  await withPostgres(async (store) => {
    const writing = store.write(async (tx) => {
      await add(tx, "a");
      await tx`SELECT 1 / 0`.catch(() => {});
      await add(tx, "b").catch(() => {});
    });
    await expect(writing).rejects.toMatchObject({ code: "internal" });
    expect(await wordsIn(store)).toEqual([]);
  }, options);
});

test("createPostgresWriter rejects all of a batch whose commit fails, and stores nothing of it", async () => {
  await withPostgres(async (store) => {
    const results = await Promise.allSettled([
      store.write((tx) => add(tx, "a")),
      store.write((tx) => tx`INSERT INTO rhymes (word) VALUES ('nothing')`),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(store.commits()).toBe(0);
    await store.write((tx) => add(tx, "b"));
    expect(await wordsIn(store)).toEqual(["b"]);
  }, options);
});

test("createPostgresWriter refuses a statement that comes after the end of its write", async () => {
  await withPostgres(async (store) => {
    const leaked = await store.write(async (tx) => ({ tx }));
    const late = store.write(() => add(leaked.tx, "late"));
    await expect(late).rejects.toThrow("after its write had ended");
    expect(await wordsIn(store)).toEqual([]);
  }, options);
});

test("createPostgresWriter runs a write again that ran into a deadlock with another process", async () => {
  await withPostgres(async (one, url) => {
    await withStoreAt(
      url,
      async (two) => {
        const ready = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
        let runs = 0;
        const cross = (store: Store, own: string, other: string, side: 0 | 1) =>
          store.write(async (tx) => {
            runs += 1;
            await use(tx, own);
            ready[side].resolve();
            await ready[1 - side]?.promise;
            await use(tx, other);
          });
        const beside = one.write((tx) => add(tx, "a"));
        await Promise.all([cross(one, "x", "y", 0), cross(two, "y", "x", 1), beside]);
        expect(runs).toBeGreaterThan(2);
        expect(await usesOf(one)).toEqual([2, 2]);
        expect(await wordsIn(two)).toEqual(["a"]);
      },
      options,
    );
  }, options);
});

test("createPostgresWriter runs a write again whose key another process took after it had looked", async () => {
  await withPostgres(async (one, url) => {
    await withStoreAt(
      url,
      async (two) => {
        const looked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
        const addOnce = (store: Store, side: 0 | 1) =>
          store.write(async (tx) => {
            const found = await tx`SELECT 1 FROM words WHERE word = 'a'`;
            looked[side].resolve();
            await looked[1 - side]?.promise;
            if (found.length > 0) return "found";
            return add(tx, "a");
          });
        expect((await Promise.all([addOnce(one, 0), addOnce(two, 1)])).sort()).toEqual(["a", "found"]);
      },
      options,
    );
  }, options);
});

test("createPostgresWriter refuses a key that is taken after one more attempt", async () => {
  await withPostgres(async (store) => {
    let runs = 0;
    const writing = store.write((tx) => {
      runs += 1;
      return add(tx, "x");
    });
    await expect(writing).rejects.toMatchObject({ code: "internal" });
    expect(runs).toBe(2);
  }, options);
});

test("createPostgresWriter ends a statement that takes too long, and goes on with the others", async () => {
  await withPostgres(
    async (store) => {
      const slow = store.write((tx) => tx`SELECT pg_sleep(20)`);
      const beside = store.write((tx) => add(tx, "a"));
      await expect(slow).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("OPENCLAW_DATABASE_TIMEOUT_SECONDS"),
      });
      await beside;
      await expect(store.read((tx) => tx`SELECT pg_sleep(20)`)).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await wordsIn(store)).toEqual(["a"]);
    },
    { ...options, databaseTimeoutMs: 500 },
  );
});

test("createPostgresWriter waits for a lock of somebody else, but not for ever", async () => {
  await withPostgres(
    async (store, url) => {
      await using other = new SQL({ url, max: 1 });
      const holder = await other.reserve();
      await holder.unsafe("BEGIN; UPDATE words SET uses = 7 WHERE word = 'x'").simple();
      await expect(store.write((tx) => use(tx, "x"))).rejects.toMatchObject({ code: "unavailable" });
      const waiting = store.write((tx) => use(tx, "x"));
      await holder.unsafe("COMMIT").simple();
      await waiting;
      expect(await usesOf(store)).toEqual([8, 0]);
      holder.release();
    },
    { ...options, databaseTimeoutMs: 1000 },
  );
});

test("createPostgresWriter waits for a lock of somebody else also with a write that came with others", async () => {
  await withPostgres(async (store, url) => {
    await using other = new SQL({ url, max: 1 });
    const holder = await other.reserve();
    await holder.unsafe("BEGIN; UPDATE words SET uses = 7 WHERE word = 'x'").simple();
    const again = Promise.withResolvers<void>();
    let runs = 0;
    const waiting = store.write((tx) => {
      runs += 1;
      if (runs === 2) again.resolve();
      return use(tx, "x");
    });
    const beside = store.write((tx) => add(tx, "a"));
    await Promise.race([again.promise, waiting.catch(() => {})]);
    await holder.unsafe("COMMIT").simple();
    holder.release();
    await Promise.all([waiting, beside]);
    expect(await usesOf(store)).toEqual([8, 0]);
    expect(await wordsIn(store)).toEqual(["a"]);
  }, options);
});

test("createPostgresWriter ends a write that waits for something else, and goes on with the others", async () => {
  await withPostgres(async (store) => {
    const nested = store.write(async (tx) => {
      await add(tx, "a");
      await store.write((other) => add(other, "b"));
    });
    const beside = store.write((tx) => add(tx, "c"));
    await expect(nested).rejects.toThrow("waited for something else");
    await beside;
    await store.write(async () => {});
    expect(await wordsIn(store)).toEqual(["b", "c"]);
  }, options);
});

test("createPostgresWriter loses its locks to the others when its process is stopped in a write", async () => {
  await withPostgres(async (store, url) => {
    // A transaction of a process that was stopped is one in which nothing happens.
    const server = await reachServer(url, 0);
    const stopped = await openSession(server.open({ max: 1, timeoutMs: 10_000 }), 10_000);
    await stopped.run("BEGIN");
    await use(stopped.tx, "x");
    await store.write((tx) => use(tx, "x"));
    expect(await usesOf(store)).toEqual([1, 0]);
    await expect(stopped.run("COMMIT")).rejects.toMatchObject({ errno: "25P03" });
    stopped.close();
  }, options);
});

test("createPostgresWriter runs a write again whose connection was lost before its commit", async () => {
  await withPostgres(async (store) => {
    let runs = 0;
    const lost = store.write(async (tx) => {
      runs += 1;
      await use(tx, "x");
      if (runs === 1) await tx`SELECT pg_terminate_backend(pg_backend_pid())`;
    });
    const beside = store.write((tx) => use(tx, "y"));
    await Promise.all([lost, beside]);
    expect(await usesOf(store)).toEqual([1, 1]);
    expect(runs).toBe(2);
  }, options);
});

test("createPostgresWriter gives a write up whose connection is lost again and again", async () => {
  await withPostgres(async (store) => {
    let runs = 0;
    const lost = store.write(async (tx) => {
      runs += 1;
      await use(tx, "x");
      await tx`SELECT pg_terminate_backend(pg_backend_pid())`;
    });
    expect(await lost.catch((error: unknown) => error)).toMatchObject({ code: "unavailable" });
    expect(runs).toBe(2);
    await store.write((tx) => use(tx, "y"));
    expect(await usesOf(store)).toEqual([0, 1]);
  }, options);
});
