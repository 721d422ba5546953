import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { memoryStore, openStore } from "../../src/store/open.ts";
import * as notes from "../../src/store/notes.ts";
import { startAppending } from "./child.ts";
import { withFolder, withStore } from "./with-folder.ts";

const note = (key: string) => ({ key, content: key, now: 1 });
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("openStore makes the data folder for its owner alone, and every file in it", async () => {
  await withFolder(async (parent) => {
    const folder = join(parent, "state", "openclaw");
    const store = await openStore({ dataDir: folder });
    await store.write((tx) => notes.put(tx, "alice", note("a")));
    expect(await modeOf(folder)).toBe(0o700);
    expect((await readdir(folder)).sort()).toEqual([
      "lock",
      "openclaw.db",
      "openclaw.db-shm",
      "openclaw.db-wal",
    ]);
    for (const name of await readdir(folder)) expect(await modeOf(join(folder, name))).toBe(0o600);
    await store.close();
    expect((await readdir(folder)).sort()).toEqual(["lock", "openclaw.db"]);
  });
});

test("openStore closes an empty folder, and one of its own, to other users", async () => {
  await withFolder(async (folder) => {
    for (const _ of [1, 2]) {
      await chmod(folder, 0o755);
      await (await openStore({ dataDir: folder })).close();
      expect(await modeOf(folder)).toBe(0o700);
    }
    await chmod(join(folder, "openclaw.db"), 0o644);
    await (await openStore({ dataDir: folder })).close();
    expect(await modeOf(join(folder, "openclaw.db"))).toBe(0o600);
  });
});

test("openStore leaves a folder alone that others may read and that holds files of somebody else", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "letter.txt"), "dear");
    await chmod(folder, 0o755);
    const opening = openStore({ dataDir: folder });
    await expect(opening).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("OPENCLAW_DATA_DIR"),
    });
    expect(await modeOf(folder)).toBe(0o755);
    expect(await readdir(folder)).toEqual(["letter.txt"]);
    // Closed to others by its owner it may be shared with files of the owner.
    await chmod(folder, 0o700);
    await (await openStore({ dataDir: folder })).close();
  });
});

test("openStore says that a path is no folder", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await writeFile(path, "");
    await expect(openStore({ dataDir: path })).rejects.toMatchObject({ code: "unavailable" });
    await expect(openStore({ dataDir: join(path, "below") })).rejects.toMatchObject({ code: "unavailable" });
  });
});

test("openStore refuses a data folder that is in use, naming the process, until it is closed", async () => {
  await withStore(async (store, folder) => {
    await expect(openStore({ dataDir: folder })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
    // The refused one has taken nothing away.
    await store.write((tx) => notes.put(tx, "alice", note("a")));
    await store.close();
    await (await openStore({ dataDir: folder })).close();
  });
});

test("openStore takes the folder of a process that was killed", async () => {
  await withFolder(async (folder) => {
    const { child, lines } = startAppending(folder, 1);
    await lines.next();
    await expect(openStore({ dataDir: folder })).rejects.toMatchObject({
      message: expect.stringContaining(`process ${child.pid}`),
    });
    child.kill("SIGKILL");
    await child.exited;
    await (await openStore({ dataDir: folder })).close();
  });
});

test("openStore refuses a damaged database and leaves the folder free", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "openclaw.db");
    await writeFile(path, "this is a diary, not a database. ".repeat(100));
    await expect(openStore({ dataDir: folder })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("openclaw.db is no database"),
    });
    await Bun.file(path).delete();
    await (await openStore({ dataDir: folder })).close();
  });
});

test("openStore finds what was written before", async () => {
  await withFolder(async (folder) => {
    const first = await openStore({ dataDir: folder });
    await first.write((tx) => notes.put(tx, "alice", note("a")));
    await first.close();
    const second = await openStore({ dataDir: folder });
    expect(await second.read((tx) => notes.get(tx, "alice", "a"))).toMatchObject({ content: "a" });
    await second.close();
  });
});

const stores = { openStore: withStore, memoryStore: withMemory } as const;

async function withMemory<T>(
  act: (store: Awaited<ReturnType<typeof memoryStore>>) => Promise<T>,
): Promise<T> {
  const store = await memoryStore();
  try {
    return await act(store);
  } finally {
    await store.close();
  }
}

for (const [name, withOne] of Object.entries(stores)) {
  test(`${name}: read refuses to change anything, each time`, async () => {
    await withOne(async (store) => {
      for (const _ of [1, 2]) {
        const reading = store.read((tx) => notes.put(tx, "alice", note("a")));
        await expect(reading).rejects.toMatchObject({ code: "unavailable" });
        await store.write((tx) => notes.put(tx, "alice", note("b")));
      }
      expect(await store.read((tx) => notes.get(tx, "alice", "a"))).toBeUndefined();
    });
  });

  test(`${name}: read sees nothing of a write that is not committed`, async () => {
    await withOne(async (store) => {
      let reading: Promise<unknown> | undefined;
      const writing = store.write(async (tx) => {
        await notes.put(tx, "alice", note("a"));
        reading = store.read((other) => notes.get(other, "alice", "a"));
        await tx`SELECT 1 AS one`;
        throw new Error("changed my mind");
      });
      await expect(writing).rejects.toThrow("changed my mind");
      expect(await reading).toBeUndefined();
    });
  });

  test(`${name}: read sees a write as soon as that has resolved`, async () => {
    await withOne(async (store) => {
      for (let index = 0; index < 20; index++) {
        await store.write((tx) => notes.put(tx, "alice", note(`k${index}`)));
        expect(await store.read((tx) => notes.get(tx, "alice", `k${index}`))).toBeDefined();
      }
    });
  });

  test(`${name}: close waits for what was asked for and refuses what comes after`, async () => {
    const store = await withOne(async (store) => {
      const writing = store.write((tx) => notes.put(tx, "alice", note("a")));
      await store.close();
      await writing;
      return store;
    });
    for (const act of [store.write(async () => 1), store.read(async () => 1), store.check()])
      await expect(act).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("closed"),
      });
    await store.close();
  });

  test(`${name}: check makes a commit, and once a second at most`, async () => {
    await withOne(async (store) => {
      const before = store.commits();
      await Promise.all(Array.from({ length: 50 }, () => store.check()));
      await store.check();
      expect(store.commits()).toBe(before + 1);
    });
  });
}

test("check says that another program holds the database, and is well again when that ends", async () => {
  await withStore(
    async (store, folder) => {
      const other = new Database(join(folder, "openclaw.db"));
      other.run("BEGIN IMMEDIATE");
      for (const act of [() => store.check(), () => store.write((tx) => notes.put(tx, "alice", note("a")))])
        await expect(act()).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringContaining("Another program holds the database"),
        });
      other.close();
      await store.check();
      await store.write((tx) => notes.put(tx, "alice", note("a")));
    },
    { lockWaitMs: 20 },
  );
});

test("write waits for another program without stopping this one", async () => {
  await withStore(async (store, folder) => {
    const other = new Database(join(folder, "openclaw.db"));
    other.run("BEGIN IMMEDIATE");
    const writing = store.write((tx) => notes.put(tx, "alice", note("a")));
    // The other program gives way only through a timer of this process.
    setTimeout(() => other.close(), 30);
    await writing;
    expect(await store.read((tx) => notes.get(tx, "alice", "a"))).toBeDefined();
  });
});

test("openStore commits to the disk: WAL, synchronous, with foreign keys", async () => {
  await withStore(async (store) => {
    await store.write(async (tx) => {
      expect(await tx`PRAGMA journal_mode`).toEqual([{ journal_mode: "wal" }]);
      expect(await tx`PRAGMA synchronous`).toEqual([{ synchronous: 2 }]);
      expect(await tx`PRAGMA foreign_keys`).toEqual([{ foreign_keys: 1 }]);
    });
  });
});

test("openStore makes missing folders above the data folder too", async () => {
  await withFolder(async (parent) => {
    await mkdir(join(parent, "a"));
    const folder = join(parent, "a", "b", "c");
    await (await openStore({ dataDir: folder })).close();
    expect(await modeOf(folder)).toBe(0o700);
  });
});
