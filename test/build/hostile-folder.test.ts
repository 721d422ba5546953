import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../../package.json";
import { runExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";

/** A folder that an agent may have written to, full of what tools like Bun read from where they are started. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let marker = "";
const packages = [
  "openai",
  "hono",
  "valibot",
  "ws",
  "undici",
  "ipaddr.js",
  "bufferutil",
  "utf-8-validate",
  "@valibot/to-json-schema",
];

beforeAll(async () => {
  folder = await temporaryFolder();
  marker = join(folder.path, "it-ran");
  const evil = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "x");`;
  const files = {
    ".env": "OPENCLAW_PORT=nonsense\nOPENCLAW_FROM_DOTENV=1\n",
    ".env.local": "OPENCLAW_PORT=nonsense\n",
    ".env.production": "OPENCLAW_PORT=nonsense\n",
    ".env.development": "OPENCLAW_PORT=nonsense\n",
    "bunfig.toml": 'preload = ["./evil.js"]\n[define]\n"process.env.OPENCLAW_PORT" = "\'nonsense\'"\n',
    "package.json":
      '{ "name": "evil", "version": "6.6.6", "type": "commonjs", "imports": { "#a": "./evil.js" } }',
    "tsconfig.json": '{ "compilerOptions": { "paths": { "*": ["./evil.js"] }, "baseUrl": "." } }',
    "evil.js": evil,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  for (const name of packages) {
    const path = join(folder.path, "node_modules", name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "index.js"), evil);
    await writeFile(join(path, "package.json"), JSON.stringify({ name, main: "index.js" }));
  }
});
afterAll(() => folder[Symbol.asyncDispose]());

const hostile = () => ({
  BUN_OPTIONS: `--preload ${join(folder.path, "evil.js")}`,
  BUN_BE_BUN: "1",
  BUN_INSPECT_PRELOAD: join(folder.path, "evil.js"),
  NODE_OPTIONS: `--require ${join(folder.path, "evil.js")}`,
  NODE_PATH: join(folder.path, "node_modules"),
});

describe("the executable in a hostile folder", () => {
  test("is in a trap that works: Bun itself runs what lies there", async () => {
    const bun = Bun.spawn([process.execPath, "-e", "0"], {
      cwd: folder.path,
      env: { PATH: "/usr/bin:/bin" },
      stderr: "ignore",
    });
    await bun.exited;
    expect(existsSync(marker)).toBe(true);
    await rm(marker);
  });

  test("says its version and passes its check, as if nothing were there", async () => {
    const before = await readdir(folder.path);
    expect(await runExecutable(["--version"], hostile(), { cwd: folder.path })).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
    });
    const check = await runExecutable(["--check"], hostile(), { cwd: folder.path });
    expect(check.stdout).not.toContain("FROM_DOTENV");
    expect(check).toMatchObject({ code: 0, stderr: "" });
    expect(await readdir(folder.path)).toEqual(before);
  });

  test("serves a turn, and runs nothing of it", async () => {
    await using server = await startExecutable(hostile(), { cwd: folder.path });
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "What time is it?" }] }),
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("demo");
    expect(await server.stop()).toBe(0);
    expect(existsSync(marker)).toBe(false);
    expect(server.stdout()).not.toContain("FROM_DOTENV");
  });

  test("restarts itself for many turns without what steers Bun", async () => {
    const many = { ...hostile(), OPENCLAW_MAX_CONCURRENT_TURNS: "1000" };
    await using server = await startExecutable(many, { cwd: folder.path });
    const environment = (await Bun.file(`/proc/${server.pid}/environ`).text()).split("\0");
    expect(environment).toContain("BUN_CONFIG_MAX_HTTP_REQUESTS=2000");
    expect(environment.filter((name) => /^(?:BUN_(?!CONFIG_MAX)|NODE_)/.test(name))).toEqual([]);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect(existsSync(marker)).toBe(false);
  });
});
