import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileLock, lockFile } from "../../src/linux/lock.ts";

async function withPath(act: (path: string) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-lock-"));
  try {
    await act(join(folder, "lock"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const release = (lock: FileLock) => {
  if (!lock.held) throw new Error("The lock is not held.");
  lock.release();
};

test("lockFile is held by one, which is named to the others, until it is given back", async () => {
  await withPath(async (path) => {
    const lock = await lockFile(path);
    expect(await readFile(path, "utf8")).toBe(`${process.pid}\n`);
    expect(await lockFile(path)).toEqual({ held: false, holder: process.pid });
    release(lock);
    release(await lockFile(path));
  });
});

test("lockFile goes by the lock and not by what an ended process left in the file", async () => {
  await withPath(async (path) => {
    for (const left of [`${process.pid}\n`, "1\n", "99999999999999", "garbage\0", ""]) {
      await writeFile(path, left);
      const lock = await lockFile(path);
      expect(await readFile(path, "utf8")).toBe(`${process.pid}\n`);
      // Who holds it but has not yet written its id is not named.
      await writeFile(path, "garbage");
      expect(await lockFile(path)).toEqual({ held: false });
      release(lock);
    }
  });
});

test("lockFile keeps the lock from programs that are started meanwhile", async () => {
  await withPath(async (path) => {
    const lock = await lockFile(path);
    const child = Bun.spawn(["sleep", "60"]);
    release(lock);
    // Between fork and exec a child still has every file of its parent: that moment may be now.
    let again = await lockFile(path);
    for (const deadline = performance.now() + 15_000; !again.held && performance.now() < deadline;) {
      await new Promise((resolve) => setImmediate(resolve));
      again = await lockFile(path);
    }
    release(again);
    child.kill();
    await child.exited;
  });
});
