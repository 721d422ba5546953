import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { executable, temporaryFolder } from "../helpers/executable.ts";

const root = join(import.meta.dir, "../..");
const user = 10001;

/** What a container runtime adds to the image: /proc, /dev/null, a writable /data, all else read-only. */
const enter = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs -o mode=700,uid=${user},gid=${user} data "$1/data"
mount -t proc proc "$1/proc"
mount --bind /dev/null "$1/dev/null"
mount -o remount,bind,ro "$1"
root=$1
shift
exec chroot --userspec=${user}:${user} "$root" /openclaw "$@"`;

let image: Awaited<ReturnType<typeof temporaryFolder>>;
let environment: Record<string, string> = {};

beforeAll(async () => {
  image = await temporaryFolder();
  const make = Bun.spawnSync([join(root, "scripts/image/make-root.sh"), image.path, await executable()]);
  if (!make.success) throw new Error(make.stderr.toString());
  environment = {
    ...readEnvironment(await Bun.file(join(root, "Dockerfile")).text()),
    OPENCLAW_PORT: "0",
    OPENCLAW_AUTH_TOKEN: "a-token-for-the-image",
    MODEL_PROVIDER_ENDPOINT: "http://127.0.0.1:9/v1",
    MODEL_PROVIDER_MODEL: "none",
  };
});
afterAll(() => image[Symbol.asyncDispose]());

/** The variables that the Dockerfile sets. */
function readEnvironment(dockerfile: string): Record<string, string> {
  const [, set = ""] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? [];
  return Object.fromEntries(
    [...set.matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

const start = (...args: string[]) =>
  Bun.spawn(["unshare", "--mount", "/bin/sh", "-c", enter, "sh", image.path, ...args], {
    env: { ...environment, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 20_000,
    killSignal: "SIGKILL",
  });

describe("the image", () => {
  test("holds the executable, five libraries and two folders, and nothing else", async () => {
    const names = await readdir(image.path, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map(({ name }) => name);
    expect(files).toHaveLength(6);
    expect(files).toContain("openclaw");
    expect(await readdir(image.path)).toEqual(expect.arrayContaining(["data", "openclaw", "tmp"]));
    // What a runtime mounts on.
    await mkdir(join(image.path, "proc"));
    await mkdir(join(image.path, "dev"));
    await writeFile(join(image.path, "dev/null"), "");
  });

  test("passes --check as its user, read-only but for the data folder", async () => {
    expect(environment).toMatchObject({ OPENCLAW_BIND_ADDRESS: "0.0.0.0", OPENCLAW_DATA_DIR: "/data" });
    const check = start("--check");
    const [stdout, stderr] = await Promise.all([
      new Response(check.stdout).text(),
      new Response(check.stderr).text(),
    ]);
    expect({ code: await check.exited, stderr, stdout }).toMatchObject({ code: 0, stderr: "" });
    expect(stdout).toContain("/data");
  });

  test("serves there, finds itself healthy, and stops on SIGTERM", async () => {
    const server = start();
    const errors = new Response(server.stderr).text();
    let block = "";
    for await (const bytes of server.stdout) {
      block += new TextDecoder().decode(bytes);
      if (block.includes("/chat\n")) break;
    }
    const [, port] = /:(\d+)\/chat$/m.exec(block) ?? [];
    if (!port) throw new Error(`It printed no address: ${block}${await errors}`);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/api/status`)).status).toBe(401);
    environment.OPENCLAW_PORT = port;
    expect(await start("--health-check").exited).toBe(0);
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(await start("--health-check").exited).toBe(1);
  });

  test("refuses to serve on every address without a token", async () => {
    environment.OPENCLAW_AUTH_TOKEN = "";
    const refused = start();
    expect(await new Response(refused.stderr).text()).toContain("OPENCLAW_AUTH_TOKEN");
    expect(await refused.exited).toBe(2);
  });
});
