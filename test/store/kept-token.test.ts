import { expect, test } from "bun:test";
import * as fs from "node:fs";
import { join } from "node:path";
import { keepToken, readToken } from "../../src/store/kept-token.ts";
import { temporaryFolder } from "../helpers/executable.ts";

const mode = (path: string) => (fs.statSync(path).mode & 0o777).toString(8);

test("keepToken makes a token once, for this user alone, and finds it again", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "state/data");

  const first = keepToken(data);
  expect(first.made).toBe(true);
  expect(first.token).toMatch(/^[0-9a-f]{64}$/);
  expect(mode(join(data, "token"))).toBe("600");
  expect(mode(data)).toBe("700");
  expect(keepToken(data)).toEqual({ token: first.token, made: false });
  expect(readToken(data)).toBe(first.token);
  expect(fs.readdirSync(data)).toEqual(["token"]);
});

test("readToken finds nothing where there is no file, and makes none", async () => {
  await using folder = await temporaryFolder();
  expect(readToken(folder.path)).toBeUndefined();
  expect(readToken(join(folder.path, "missing"))).toBeUndefined();
  expect(fs.readdirSync(folder.path)).toEqual([]);
});

test("keepToken gives processes that start together one token", async () => {
  await using folder = await temporaryFolder();
  const program = `const { keepToken } = await import(${JSON.stringify(join(import.meta.dir, "../../src/store/kept-token.ts"))});
    console.log(JSON.stringify(keepToken(${JSON.stringify(folder.path)})));`;
  const started = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, "-e", program], { timeout: 20_000 }),
  );
  const kept = await Promise.all(
    started.map(async ({ stdout }) => JSON.parse(await new Response(stdout).text())),
  );
  expect(new Set(kept.map(({ token }) => token)).size).toBe(1);
  expect(kept.filter(({ made }) => made)).toHaveLength(1);
  expect(fs.readdirSync(folder.path)).toEqual(["token"]);
});

const secret = "a".repeat(64);

test.each<[string, string, (path: string) => void]>([
  ["others may read", "others may open it (mode 644, not 600)", (path) => fs.chmodSync(path, 0o644)],
  ["its group may write", "mode 620", (path) => fs.chmodSync(path, 0o620)],
  [
    "is a link",
    "it is a link",
    (path) => {
      fs.renameSync(path, `${path}.real`);
      fs.symlinkSync(`${path}.real`, path);
    },
  ],
  [
    "is a folder",
    "no regular file",
    (path) => {
      fs.rmSync(path);
      fs.mkdirSync(path, { mode: 0o700 });
    },
  ],
  ["is empty", "it holds no token", (path) => fs.writeFileSync(path, "")],
  ["is short", "it holds no token", (path) => fs.writeFileSync(path, "abc\n")],
  ["has several lines", "it holds no token", (path) => fs.writeFileSync(path, `${secret}\n${secret}\n`)],
  ["is huge", "it has 1000000 bytes", (path) => fs.writeFileSync(path, "a".repeat(1_000_000))],
])(
  "readToken refuses a file that %s, and says what to do without saying what is in it",
  async (_, why, spoil) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "token");
    fs.writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    spoil(path);
    for (const act of [readToken, keepToken]) {
      expect(() => act(folder.path)).toThrow(why);
      expect(() => act(folder.path)).toThrow("Delete the file");
      expect(() => act(folder.path)).not.toThrow(secret);
    }
  },
);

test("readToken refuses a file of another user", async () => {
  await using folder = await temporaryFolder();
  fs.writeFileSync(join(folder.path, "token"), secret, { mode: 0o600 });
  const me = process.geteuid?.() ?? 0;
  expect(readToken(folder.path, me)).toBe(secret);
  expect(() => readToken(folder.path, me + 1)).toThrow(
    `it belongs to user ${me}, and this is user ${me + 1}`,
  );
});

test("keepToken says what to set where nothing can be kept", async () => {
  await using folder = await temporaryFolder();
  fs.writeFileSync(join(folder.path, "file"), "");
  expect(() => keepToken(join(folder.path, "file/data"))).toThrow(
    /No token can be kept .*Set OPENCLAW_AUTH_TOKEN/,
  );
});
