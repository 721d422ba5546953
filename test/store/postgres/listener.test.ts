import { SQL } from "bun";
import { expect, test } from "bun:test";
import { createListener } from "../../../src/store/postgres/listener.ts";
import { administrate, postgresDatabase, sharedCluster } from "../../helpers/postgres.ts";
import { withPostgres, withStoreAt } from "../with-postgres.ts";

/** Collects what is heard; `until` resolves when it was. */
function ear() {
  const heard: string[] = [];
  let look = () => {};
  return {
    heard,
    hear: (payload: string) => {
      heard.push(payload);
      look();
    },
    until: (is: (heard: readonly string[]) => boolean) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (is(heard)) resolve();
        };
        look();
      }),
  };
}

/** Does something again each second until `end`. */
async function repeated(act: () => Promise<unknown>, end: Promise<void>) {
  let over = false;
  const ended = end.then(() => {
    over = true;
  });
  while (!over) {
    await act();
    await Promise.race([ended, Bun.sleep(1000)]);
  }
}

const has = (payload: string) => (heard: readonly string[]) => heard.includes(payload);

/** Ends, or with SIGSTOP holds up, the connection that listens in a database. */
const listening = `FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`;

test("signal reaches the listeners of every process with its topic, once it is committed", async () => {
  await withPostgres(async (one, url) => {
    await withStoreAt(url, async (two) => {
      const here = ear();
      const there = ear();
      const other = ear();
      one.listen("events", here.hear);
      two.listen("events", there.hear);
      two.listen("approvals", other.hear);
      // Each is told to look once when it begins to hear.
      for (const each of [here, there, other]) await each.until(has(""));
      const undone = one.write(async (tx) => {
        await one.signal(tx, "events", "undone");
        throw new Error("no");
      });
      await expect(undone).rejects.toThrow("no");
      await one.write((tx) => one.signal(tx, "events", "s1 4"));
      await one.write((tx) => one.signal(tx, "events", "ünïcode 🎉"));
      await Promise.all([here.until(has("ünïcode 🎉")), there.until(has("ünïcode 🎉"))]);
      for (const { heard } of [here, there])
        expect(heard.filter((payload) => payload !== "")).toEqual(["s1 4", "ünïcode 🎉"]);
      expect(other.heard.filter((payload) => payload !== "")).toEqual([]);
    });
  });
});

test("signal refuses what is more than an id, and the write with it", async () => {
  await withPostgres(async (store) => {
    const writing = store.write((tx) => store.signal(tx, "events", "x".repeat(7001)));
    await expect(writing).rejects.toMatchObject({ code: "internal" });
  });
});

test("listen calls nobody who has had enough, and goes on after one who throws", async () => {
  await withPostgres(async (store) => {
    const first = ear();
    const second = ear();
    const stop = store.listen("events", first.hear);
    store.listen("events", (payload) => {
      if (payload === "boom") throw new Error("a listener failed");
    });
    store.listen("events", second.hear);
    await first.until(has(""));
    stop();
    await store.write((tx) => store.signal(tx, "events", "boom"));
    await store.write((tx) => store.signal(tx, "events", "after"));
    await second.until(has("after"));
    expect(second.heard).toContain("boom");
    expect(first.heard).not.toContain("after");
  });
});

test("listen says look again after its connection was lost, and hears on", async () => {
  await withPostgres(async (store, url) => {
    const { heard, hear, until } = ear();
    store.listen("events", hear);
    await until(has(""));
    await store.write((tx) => store.signal(tx, "events", "before"));
    await until(has("before"));
    const before = heard.length;
    const cut = async () =>
      administrate(await sharedCluster(), `SELECT pg_terminate_backend(pid) ${listening}`, nameIn(url));
    await repeated(
      cut,
      until((all) => all.slice(before).includes("")),
    );
    // One that falls between the loss and the new LISTEN is what "look again" stands for: a later one is heard.
    await repeated(() => store.write((tx) => store.signal(tx, "events", "after")), until(has("after")));
  });
});

const nameIn = (url: string) => new URL(url).pathname.slice(1);

test("createListener says look again and again where nobody can listen", async () => {
  const { heard, hear, until } = ear();
  const listener = createListener({
    // Nothing listens on this port.
    open: () => new SQL({ url: "postgres://a:b@127.0.0.1:1/c", max: 1 }),
    notify: async () => {},
    pollMs: 10,
  });
  listener.listen("events", hear);
  await until((all) => all.length >= 5);
  expect(new Set(heard)).toEqual(new Set([""]));
  listener.close();
});

test("createListener notices that its connection hangs, and makes another", async () => {
  await using database = await postgresDatabase();
  await using sql = new SQL({ url: database.url, max: 1 });
  const { heard, hear, until } = ear();
  let opened = 0;
  const listener = createListener({
    open() {
      opened += 1;
      return new SQL({ url: database.url, max: 1 });
    },
    notify: async (channel) => sql`SELECT pg_notify(${channel}, '')`,
    pollMs: 10,
    probeMs: 150,
  });
  listener.listen("events", hear);
  await sql`SELECT pg_notify('openclaw_events', 'before')`;
  while (!heard.includes("before")) await sql`SELECT pg_notify('openclaw_events', 'before')`;
  const before = opened;
  const pids: { pid: number }[] = await sql.unsafe(`SELECT pid ${listening}`);
  for (const { pid } of pids) process.kill(pid, "SIGSTOP");
  try {
    // Nothing is heard: it polls, and at last it opens another client.
    await until(() => opened > before);
    heard.length = 0;
    while (!heard.includes("after")) await sql`SELECT pg_notify('openclaw_events', 'after')`;
  } finally {
    for (const { pid } of pids) process.kill(pid, "SIGCONT");
    listener.close();
  }
});
