import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLibc } from "../../src/linux/libc.ts";
import { beneathBy, openBeneath, pathOf, walkBeneath } from "../../src/linux/open-beneath.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-beneath-")));
let folder = -1;

beforeAll(() => {
  mkdirSync(join(base, "root/deep/er"), { recursive: true });
  writeFileSync(join(base, "secret"), "secret");
  writeFileSync(join(base, "root/plain"), "plain");
  writeFileSync(join(base, "root/deep/er/file"), "deep");
  symlinkSync("../secret", join(base, "root/out"));
  symlinkSync(join(base, "secret"), join(base, "root/absolute"));
  symlinkSync("..", join(base, "root/up"));
  symlinkSync("deep/er", join(base, "root/in"));
  symlinkSync("circle", join(base, "root/circle"));
  symlinkSync("/proc/self/root", join(base, "root/magic"));
  folder = openSync(join(base, "root"), constants.O_RDONLY | constants.O_DIRECTORY);
});
afterAll(() => {
  closeSync(folder);
  rmSync(base, { recursive: true });
});

const targetOf = (fd: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The one that the list itself was read from.
    return "";
  }
};

const read = (fd: number): string => {
  try {
    return readFileSync(pathOf(fd), "utf8");
  } finally {
    closeSync(fd);
  }
};

test("openLibc hands out one handle", () => {
  expect(openLibc()).toBe(openLibc());
});

test("beneathBy finds openat2 on this machine", async () => {
  expect(await beneathBy()).toBe("openat2");
});

describe.each([
  ["openBeneath", openBeneath],
  ["walkBeneath", walkBeneath],
])("%s", (_name, open) => {
  test.each([
    ["plain", "plain"],
    ["./plain", "plain"],
    ["deep/er/file", "deep"],
    ["deep//er/./file", "deep"],
  ])("opens %s", async (path, content) => {
    expect(read(await open(folder, path, "none"))).toBe(content);
  });

  test("opens the folder itself as a dot", async () => {
    const fd = await open(folder, ".", "none");
    expect(fstatSync(fd).ino).toBe(fstatSync(folder).ino);
    closeSync(fd);
  });

  test.each([
    "out",
    "absolute",
    "up/secret",
    "circle",
    "magic",
    "magic/etc/passwd",
    "../secret",
    "deep/../../secret",
    "in/../../../secret",
  ])("never leaves by %s", async (path) => {
    for (const links of ["inside", "none"] as const) {
      await expect(open(folder, path, links)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ELOOP|EXDEV)$/),
      });
    }
  });

  test("follows no link at all when told so", async () => {
    await expect(open(folder, "in/file", "none")).rejects.toMatchObject({ code: "ELOOP" });
  });

  test.each([
    ["missing", "ENOENT"],
    ["plain/file", "ENOTDIR"],
    ["n".repeat(256), "ENAMETOOLONG"],
  ])("says why something cannot be opened (case %#)", async (path, code) => {
    await expect(open(folder, path, "inside")).rejects.toMatchObject({ code });
  });

  test("leaves no descriptor open, however it ends", async () => {
    // Others of this process are none of ours, and may be closed at any moment.
    const ours = () =>
      readdirSync("/proc/self/fd")
        .map(targetOf)
        .filter((path) => path.startsWith(base));
    await open(folder, "out", "inside").catch(() => undefined);
    const before = ours();
    expect(before).toEqual([join(base, "root")]);
    for (const path of ["out", "missing", "plain/file", "deep/missing", "../secret", "up/secret"]) {
      await open(folder, path, "inside").catch(() => undefined);
    }
    expect(ours()).toEqual(before);
  });
});

test("openBeneath follows a link that stays beneath", async () => {
  expect(read(await openBeneath(folder, "in/file", "inside"))).toBe("deep");
});
