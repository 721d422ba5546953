import { expect, test } from "bun:test";
import { openConnection, type Connection } from "../../src/store/connection.ts";
import type { Tx } from "../../src/store/tx.ts";
import { createWriter, type SqliteWriter as Writer } from "../../src/store/writer.ts";

async function withWriter(act: (writer: Writer, connection: Connection) => Promise<void>, quietMs?: number) {
  const connection = openConnection(":memory:", "write");
  connection.run("CREATE TABLE words (word TEXT PRIMARY KEY)");
  try {
    await act(createWriter(connection, { lockWaitMs: 0, quietMs }), connection);
  } finally {
    connection.close();
  }
}

const add = async (tx: Tx, word: string) => {
  await tx`INSERT INTO words (word) VALUES (${word})`;
  return word;
};
const wordsIn = async (writer: Writer) =>
  (await writer.read((tx) => tx`SELECT word FROM words ORDER BY word`)).map(({ word }) => word);

test("write undoes and rejects the one that throws, and commits those beside it", async () => {
  await withWriter(async (writer) => {
    const results = await Promise.allSettled([
      writer.write((tx) => add(tx, "a")),
      writer.write(async (tx) => {
        await add(tx, "b");
        throw new Error("not b");
      }),
      writer.write((tx) => add(tx, "c")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: new Error("not b") });
    expect(await wordsIn(writer)).toEqual(["a", "c"]);
    expect(writer.commits()).toBe(2);
  });
});

test("write shares one commit between the writes of one moment", async () => {
  await withWriter(async (writer) => {
    await Promise.all(Array.from({ length: 64 }, (_, index) => writer.write((tx) => add(tx, `w${index}`))));
    expect(writer.commits()).toBe(1);
  });
});

test("write shares one commit between callers that come from different events of one moment", async () => {
  await withWriter(async (writer) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const written: Promise<string>[] = [];
    for (const word of ["a", "b", "c"])
      setImmediate(() => {
        written.push(writer.write((tx) => add(tx, word)));
        if (written.length === 3) resolve();
      });
    await promise;
    await Promise.all(written);
    expect(writer.commits()).toBe(1);
  });
});

test("write bounds a batch and the line of those that wait", async () => {
  await withWriter(async (writer) => {
    const asked = Array.from({ length: 20_001 }, (_, index) => writer.write(async () => index));
    const results = await Promise.allSettled(asked);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(20_000);
    expect(results.at(-1)).toMatchObject({ status: "rejected", reason: { code: "busy" } });
    expect(writer.commits()).toBe(Math.ceil(20_000 / 256));
  });
});

test("write runs one after the other, in order, and each sees those before it", async () => {
  await withWriter(async (writer) => {
    const counts = Array.from({ length: 5 }, (_, index) =>
      writer.write(async (tx) => {
        const before = await tx`SELECT count(*) AS count FROM words`;
        await add(tx, `w${index}`);
        return before[0]?.count;
      }),
    );
    expect(await Promise.all(counts)).toEqual([0, 1, 2, 3, 4]);
  });
});

test("write fails with a failed statement even when its caller made light of it", async () => {
  await withWriter(async (writer) => {
    const second = async (tx: Tx) => {
      await add(tx, "b");
      await add(tx, "a").catch(() => {});
      await add(tx, "c").catch(() => {});
    };
    const results = await Promise.allSettled([writer.write((tx) => add(tx, "a")), writer.write(second)]);
    expect(results[1]).toMatchObject({ status: "rejected", reason: { code: "internal" } });
    expect(await wordsIn(writer)).toEqual(["a"]);
  });
});

test("write refuses a statement that comes after its end, so that it joins nobody else's transaction", async () => {
  await withWriter(async (writer) => {
    const leaked = await writer.write(async (tx) => ({ tx }));
    const next = writer.write(async (tx) => {
      await add(tx, "a");
      await expect(leaked.tx`INSERT INTO words (word) VALUES ('late')`).rejects.toMatchObject({
        code: "internal",
      });
    });
    await next;
    expect(await wordsIn(writer)).toEqual(["a"]);
  });
});

test("write ends one that waits for something else, and goes on with the others", async () => {
  await withWriter(async (writer) => {
    const nested = writer.write(async (tx) => {
      await add(tx, "a");
      await writer.write((other) => add(other, "b"));
    });
    const beside = writer.write((tx) => add(tx, "c"));
    await expect(nested).rejects.toThrow("waited for something else");
    await beside;
    // The write that was asked for inside ran afterwards by itself.
    expect(await wordsIn(writer)).toEqual(["b", "c"]);
  }, 50);
});

test("write is unavailable while the disk is full, loses nobody else's, and works again afterwards", async () => {
  await withWriter(async (writer, connection) => {
    await writer.write((tx) => add(tx, "a"));
    connection.run("PRAGMA max_page_count = 20");
    const big = "b".repeat(200_000);
    const results = await Promise.allSettled([
      writer.write((tx) => add(tx, "c")),
      writer.write((tx) => add(tx, big)),
      writer.write((tx) => add(tx, "d")),
    ]);
    expect(results[1]).toMatchObject({
      status: "rejected",
      reason: { code: "unavailable", message: expect.stringContaining("disk of the data folder is full") },
    });
    // What was told and what is stored are the same, whether SQLite undid one write or all of them.
    const told = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(await wordsIn(writer)).toEqual(["a", ...told]);

    connection.run("PRAGMA max_page_count = 100000");
    await writer.write((tx) => add(tx, big));
    expect(await wordsIn(writer)).toContain(big);
  });
});

test("write rejects all of a batch whose commit fails, and stores nothing of it", async () => {
  await withWriter(async (writer, connection) => {
    connection.run("PRAGMA foreign_keys = ON");
    // Checked only at the commit, which it makes fail.
    connection.run(
      "CREATE TABLE rhymes (word TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED, rhyme TEXT)",
    );
    const results = await Promise.allSettled([
      writer.write((tx) => add(tx, "a")),
      writer.write((tx) => tx`INSERT INTO rhymes (word, rhyme) VALUES ('nothing', 'orange')`),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(writer.commits()).toBe(0);
    expect(await wordsIn(writer)).toEqual([]);
    await writer.write((tx) => add(tx, "b"));
    expect(await wordsIn(writer)).toEqual(["b"]);
  });
});

test("write rejects all of a batch whose transaction was lost under way, also who began before", async () => {
  await withWriter(async (writer) => {
    const results = await Promise.allSettled([
      writer.write((tx) => add(tx, "a")),
      // What SQLite does by itself after some faults of the disk.
      writer.write((tx) => tx`INSERT OR ROLLBACK INTO words (word) VALUES ('a')`),
      writer.write((tx) => add(tx, "c")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await wordsIn(writer)).toEqual([]);
    await writer.write((tx) => add(tx, "d"));
    expect(await wordsIn(writer)).toEqual(["d"]);
  });
});
