import { expect, test } from "bun:test";
import { openStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { startAppending } from "./child.ts";
import { withFolder } from "./with-folder.ts";

/** Reads the acknowledged entries of each session, in order, until the process has ended. */
async function acknowledged(lines: AsyncIterable<string>, onLine: (count: number) => void = () => {}) {
  const ids = new Map<string, string[]>();
  let count = 0;
  let refused: string | undefined;
  for await (const line of lines) {
    const [session = "", id = ""] = line.split(" ");
    if (session === "ready") continue;
    if (session === "refused") refused = id;
    else ids.getOrInsert(session, []).push(id);
    onLine((count += 1));
  }
  return { ids, count, refused };
}

/** All ids of a session's path as they are stored. */
async function storedIn(folder: string, ids: Iterable<string>) {
  const store = await openStore({ dataDir: folder });
  try {
    return await store.read(async (tx) => {
      expect(await tx`PRAGMA integrity_check`).toEqual([{ integrity_check: "ok" }]);
      const stored = new Map<string, string[]>();
      for (const id of ids) {
        const leafId = (await sessions.find(tx, id))?.leafId ?? "";
        stored.set(
          id,
          (await sessions.path(tx, leafId, Number.MAX_SAFE_INTEGER)).map((entry) => entry.id),
        );
      }
      return stored;
    });
  } finally {
    await store.close();
  }
}

test("openStore finds all that was acknowledged when the process was killed right after it said so", async () => {
  await withFolder(async (folder) => {
    for (const lastLine of [1, 7, 60, 200]) {
      const before = await storedIn(folder, ["s0", "s1", "s2", "s3"]);
      const { child, lines } = startAppending(folder, 4);
      const { ids, count } = await acknowledged(lines, (count) => {
        if (count === lastLine) child.kill("SIGKILL");
      });
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      expect(count).toBeGreaterThanOrEqual(lastLine);
      const stored = await storedIn(folder, ids.keys());
      for (const [session, told] of ids) {
        const old = before.get(session)?.length ?? 0;
        // In order, without a gap; behind them at most the one that was not told any more.
        const added = stored.get(session)?.slice(old) ?? [];
        expect(added.slice(0, told.length)).toEqual(told);
        expect(added.length - told.length).toBeLessThanOrEqual(1);
      }
    }
  });
});

test("write is refused as unavailable on a full disk, and all that was acknowledged before is stored", async () => {
  await withFolder(async (folder) => {
    // A limit on the size of files stops writes as a full disk does; the signal that comes with it is ignored.
    const limited = ["bash", "-c", `trap "" XFSZ; ulimit -f 1000; exec "$@"`, "bash"];
    const { child, lines } = startAppending(folder, 3, limited);
    const { ids, count, refused } = await acknowledged(lines);
    expect(await child.exited).toBe(0);
    expect(refused).toBe("unavailable");
    expect(count).toBeGreaterThan(20);
    const stored = await storedIn(folder, ids.keys());
    for (const [session, told] of ids) expect(stored.get(session)).toEqual(told);
  });
});
