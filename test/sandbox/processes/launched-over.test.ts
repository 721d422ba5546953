import { expect, test } from "bun:test";
import { sandboxed, stranger } from "../sandboxed.ts";

const isRoot = process.getuid?.() === 0;

test("launch counts what left its parents, too", async () => {
  await using box = await sandboxed({ namespaces: false, ...(isRoot && { owner: stranger }) });
  const started = await box.programs.launch({
    stages: [
      // 120 MB in an orphan, a sleeping parent, and a word once the memory is held.
      [
        "sh",
        "-c",
        `(setsid perl -e '$x = "x" x 120_000_000; $| = 1; print "held"; sleep 74000' >&4 &); sleep 74000`,
      ],
    ],
    cwd: box.workspace,
    read: [],
    write: [box.workspace],
  });
  const child = Bun.spawn([...started.argv], {
    env: { ...started.environment },
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  try {
    const said = child.stdio[4];
    if (typeof said !== "number") throw new Error("There is no pipe.");
    await Bun.file(said).stream().getReader().read();
    const limits = { memoryBytes: 60_000_000, processes: 100 };
    expect(started.over(child.pid, limits)).toBe("memory");
    expect(started.over(child.pid, { ...limits, memoryBytes: 2 ** 30 })).toBeUndefined();
  } finally {
    child.kill("SIGKILL");
    await started.endAll();
    await child.exited;
  }
  expect(started.over(child.pid, { memoryBytes: 0, processes: 100 })).toBeUndefined();
});
