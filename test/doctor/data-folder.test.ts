import { expect, test } from "bun:test";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspectDataFolder } from "../../src/doctor/data-folder.ts";
import { temporaryFolder } from "../helpers/executable.ts";

test("inspectDataFolder passes a folder that can be made, and does not make it", async () => {
  await using folder = await temporaryFolder();
  expect(inspectDataFolder(join(folder.path, "not/yet"))).toMatchObject({ state: "ok" });
  expect(await readdir(folder.path)).toEqual([]);
});

test("inspectDataFolder fails for a file in its place and for a database that is none", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "file"), "x");
  expect(inspectDataFolder(join(folder.path, "file"))).toMatchObject({ state: "fail" });
  expect(inspectDataFolder(join(folder.path, "file/below"))).toMatchObject({ state: "fail" });

  await writeFile(join(folder.path, "openclaw.db"), "no database at all, but long enough to be read");
  expect(inspectDataFolder(folder.path)).toMatchObject({
    state: "fail",
    text: expect.stringContaining("no SQLite"),
  });
});

test("inspectDataFolder refuses, as a start does, a folder that others may enter with files that are not ours", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "foreign"), "x");
  await chmod(folder.path, 0o755);
  expect(() => inspectDataFolder(folder.path)).toThrow("holds files that are not ours");
  await writeFile(join(folder.path, "openclaw.db"), "");
  expect(inspectDataFolder(folder.path)).toMatchObject({ state: "warn" });
});

test("inspectDataFolder warns of a folder that other users may enter", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "open"));
  await chmod(join(folder.path, "open"), 0o755);
  expect(inspectDataFolder(join(folder.path, "open"))).toMatchObject({
    state: "warn",
    fix: expect.stringContaining("chmod 700"),
  });
  await chmod(join(folder.path, "open"), 0o700);
  expect(inspectDataFolder(join(folder.path, "open"))).toMatchObject({ state: "ok" });
});
