import { SQL } from "bun";
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as notes from "../../../src/store/notes.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import * as sessions from "../../../src/store/sessions.ts";
import { userMessage } from "../../../src/llm/message.ts";
import {
  type Cluster,
  clusterPassword,
  postgresDatabase,
  sharedCluster,
  startCluster,
} from "../../helpers/postgres.ts";
import { aSession, now } from "../records.ts";
import { withFolder } from "../with-folder.ts";
import { withPostgres, withStoreAt } from "../with-postgres.ts";

/** One that may be stopped: the shared one serves every other test. */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ max_connections: "8", superuser_reserved_connections: "0" });
});
afterAll(() => cluster[Symbol.asyncDispose]());

const put = (store: Store, key: string) =>
  store.write((tx) => notes.put(tx, "alice", { key, content: key, now }));

/** How many connections the server has, this store's included; more than all while it takes none. */
const connectionsOf = (store: Store) =>
  store
    .read((tx) => tx`SELECT count(*) AS count FROM pg_stat_activity WHERE backend_type = 'client backend'`)
    .then(
      ([row]) => Number(row?.["count"]),
      () => Number.POSITIVE_INFINITY,
    );

/** Why a database cannot be opened. */
const refusal = (databaseUrl: string, startWaitMs = 0) =>
  withFolder(async (dataDir) => {
    const opening = openStore({ dataDir, databaseUrl, startWaitMs });
    const error: unknown = await opening.then(
      (store) => store.close(),
      (fault: unknown) => fault,
    );
    // What failed has left the folder free.
    await (await openStore({ dataDir })).close();
    if (!(error instanceof Error)) throw new Error("It was opened.");
    expect(error).toMatchObject({ code: "unavailable" });
    const all = `${error.message} ${error.stack} ${error.cause} ${Bun.inspect(error)}`;
    expect(all).not.toContain(clusterPassword);
    expect(all).not.toContain(encodeURIComponent(clusterPassword));
    return error.message;
  });

test("openStore says which database it could not open and why, and never the password", async () => {
  const cluster = await sharedCluster();
  const at = `at 127.0.0.1:${cluster.port}`;
  // Another password, which must not be shown either.
  const wrong = await refusal(cluster.url("postgres", { password: "another one" }));
  expect(wrong).toContain(`database "postgres" ${at}`);
  expect(wrong).toContain("refuses the user or the password");
  expect(wrong).not.toContain("another one");
  expect(await refusal(cluster.url("nowhere"))).toContain(
    `"nowhere" ${at} cannot be used. The store failed (3D000)`,
  );
  expect(await refusal("postgres://a:b@nowhere.invalid/c")).toContain(
    `database "c" at nowhere.invalid cannot`,
  );
  expect(await refusal("postgres://a:b@127.0.0.1:1/c")).toContain("does not answer");
  expect(await refusal("mysql://a:b@127.0.0.1/c")).toContain("OPENCLAW_DATABASE_URL is no postgres://");
  expect(await refusal("no url at all")).toContain("OPENCLAW_DATABASE_URL is no postgres://");
});

test("openStore refuses a database that cannot hold every character", async () => {
  const cluster = await sharedCluster();
  await using admin = new SQL({ url: cluster.url(), max: 1 });
  await admin`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`;
  expect(await refusal(cluster.url("latin"))).toContain("LATIN1");
});

test("openStore keeps two processes out of one data folder also when the database is elsewhere", async () => {
  await using database = await postgresDatabase();
  await withFolder(async (dataDir) => {
    const store = await openStore({ dataDir, databaseUrl: database.url });
    await expect(openStore({ dataDir, databaseUrl: database.url })).rejects.toThrow("in use by process");
    await store.close();
  });
});

test("openStore waits for a server that is still down", async () => {
  await cluster.stop();
  expect(await refusal(cluster.url(), 100)).toContain("does not answer");
  const opening = withStoreAt(cluster.url(), (store) => put(store, "a"), { startWaitMs: 30_000 });
  await cluster.start();
  await opening;
});

test("write and read fail while the server is away, lose nothing that was told, and recover by themselves", async () => {
  await withStoreAt(
    cluster.url(),
    async (store) => {
      await store.write((tx) => aSession(tx));
      const told: string[] = [];
      let stopped = false;
      const append = () => store.write((tx) => sessions.append(tx, "s1", undefined, userMessage("x"), now));
      const appending = Promise.allSettled(
        Array.from({ length: 20 }, async () => {
          while (!stopped) told.push(await append());
        }),
      );
      while (told.length < 200) await Bun.sleep(1);
      await cluster.stop();
      const ends = await appending;
      expect(new Set(ends.map((end) => end.status === "rejected" && end.reason.code))).toEqual(
        new Set(["unavailable"]),
      );
      stopped = true;
      for (const act of [() => store.check(), append, () => store.read((tx) => sessions.find(tx, "s1"))])
        await expect(act()).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringContaining("does not answer"),
        });
      await cluster.start();
      await store.check();
      const path = await store.read(async (tx) => {
        const leaf = (await sessions.find(tx, "s1"))?.leafId ?? "";
        return (await sessions.path(tx, leaf, Number.MAX_SAFE_INTEGER)).map(({ id }) => id);
      });
      expect(told.filter((id) => !path.includes(id))).toEqual([]);
    },
    { lockWaitMs: 50 },
  );
});

test("write and read wait for a server that comes back soon", async () => {
  await withStoreAt(
    cluster.url(),
    async (store) => {
      await put(store, "a");
      await store.read((tx) => notes.get(tx, "alice", "a"));
      await cluster.stop();
      const writing = put(store, "b");
      const reading = store.read((tx) => notes.get(tx, "alice", "a"));
      await cluster.start();
      await writing;
      expect(await reading).toBeDefined();
    },
    { lockWaitMs: 20_000 },
  );
});

test("read asks again when its connection is lost, and refuses to change anything", async () => {
  await withPostgres(async (store, url) => {
    await using other = new SQL({ url, max: 1 });
    const reading = store.read((tx) => tx`SELECT pg_sleep(0.5), 7 AS seven`);
    const kill = () =>
      other`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%seven%' AND pid <> pg_backend_pid()`;
    while ((await kill()).length === 0);
    expect((await reading)[0]).toMatchObject({ seven: 7 });
    for (const _ of [1, 2])
      await expect(
        store.read((tx) => notes.put(tx, "alice", { key: "a", content: "a", now })),
      ).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("25006") });
  });
});

test("write goes on over another connection when its own hangs", async () => {
  await withPostgres(
    async (store) => {
      const pidOf = async (act: Store["read"]) =>
        Number((await act((tx) => tx`SELECT pg_backend_pid() AS pid`))[0]?.pid);
      const pid = await pidOf(store.write);
      process.kill(pid, "SIGSTOP");
      try {
        await expect(put(store, "a")).resolves.toBeUndefined();
        expect(await pidOf(store.write)).not.toBe(pid);
      } finally {
        process.kill(pid, "SIGCONT");
      }
    },
    { databaseTimeoutMs: 1000 },
  );
});

test("write and read work with the fewest connections, and say that the server has none left", async () => {
  await withStoreAt(
    cluster.url(),
    async (store) => {
      await using greedy = new SQL({ url: cluster.url(), max: 8 });
      // The server may still be ending the connections that opening the store took.
      for (let taken = 0; taken < 8;)
        await greedy.reserve().then(
          () => taken++,
          () => Bun.sleep(20),
        );
      await expect(put(store, "a")).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("max_connections"),
      });
      await greedy.close({ timeout: 0 });
      while ((await connectionsOf(store)) > 2) await Bun.sleep(20);
      await Promise.all(Array.from({ length: 100 }, (_, index) => put(store, `k${index}`)));
      const found = await Promise.all(
        Array.from({ length: 100 }, (_, index) => store.read((tx) => notes.get(tx, "alice", `k${index}`))),
      );
      expect(found.every((note) => note !== undefined)).toBe(true);
    },
    { databasePool: 3, lockWaitMs: 50 },
  );
});

test("close waits for what was asked for and refuses what comes after", async () => {
  await withPostgres(async (store) => {
    const writing = put(store, "a");
    await store.close();
    await writing;
    for (const act of [store.write(async () => 1), store.read(async () => 1), store.check()])
      await expect(act).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("closed"),
      });
    store.listen("events", () => {})();
  });
});

test("check makes a commit, and once a second at most", async () => {
  await withPostgres(async (store) => {
    await Promise.all(Array.from({ length: 50 }, () => store.check()));
    await store.check();
    expect(store.commits()).toBe(1);
  });
});
