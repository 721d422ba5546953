import { expect, test } from "bun:test";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBeneath } from "../../../src/linux/open-beneath.ts";
import { createInTurn } from "../../../src/sandbox/files/in-turn.ts";
import { openRoots } from "../../../src/sandbox/files/roots.ts";
import { canWrite } from "../../../src/sandbox/files/write-files.ts";
import { stranger } from "../sandboxed.ts";

// Only root gives files away.
if (process.getuid?.() === 0) {
  test("canWrite gives away the folder that it made, and none that was put in its place", async () => {
    const workspace = realpathSync(mkdtempSync(join(tmpdir(), "write-files-")));
    try {
      mkdirSync(join(workspace, "roots"));
      writeFileSync(join(workspace, "roots/file"), "of root");
      chownSync(workspace, stranger, stranger);
      const roots = openRoots({ workspace, readRoots: ["."], writeRoots: ["."] });
      let swap = () => {};
      const grant = {
        act: "write",
        roots: roots.write,
        workspace,
        never: [],
        openBeneath: (...args: Parameters<typeof openBeneath>) => {
          if (args[1] === "made" && statSync(join(workspace, "made"), { throwIfNoEntry: false })) swap();
          return openBeneath(...args);
        },
      } as const;
      const write = canWrite(grant, createInTurn(), AbortSignal.timeout(5000));
      await write.text("given/file", "x");
      expect(statSync(join(workspace, "given")).uid).toBe(stranger);
      swap = () => {
        swap = () => {};
        renameSync(join(workspace, "made"), join(workspace, "away"));
        renameSync(join(workspace, "roots"), join(workspace, "made"));
      };
      await write.text("made/new", "x");
      expect(statSync(join(workspace, "made/file")).uid).toBe(0);
      expect(statSync(join(workspace, "made")).uid).toBe(0);
    } finally {
      rmSync(workspace, { recursive: true });
    }
  });
}
