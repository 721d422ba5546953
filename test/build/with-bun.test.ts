import { describe, expect, test } from "bun:test";
import { chmod, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageManager } from "../../package.json";
import { temporaryFolder } from "../helpers/executable.ts";

const scripts = join(import.meta.dir, "../../scripts");
const lock = "# the lock file";

/** A small project with our launcher, its packages installed, and a `bin` folder that is the whole PATH but for Node. */
async function aProject() {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  for (const name of ["scripts", "bin", "node_modules"]) await mkdir(path(name));
  await cp(join(scripts, "with-bun.mjs"), path("scripts/with-bun.mjs"));
  await cp(join(scripts, "bun"), path("scripts/bun"), { recursive: true });
  await writeFile(path("package.json"), JSON.stringify({ packageManager }));
  await writeFile(path("bun.lock"), lock);
  await writeFile(
    path("node_modules/.installed-from"),
    new Bun.CryptoHasher("sha256").update(lock).digest("hex"),
  );
  await writeFile(path(".env"), "FROM_DOTENV=1");
  await writeFile(
    path("scripts/hello.ts"),
    `const waits = process.argv.includes("wait");
     // Before it says that it is there: the signal may follow at once.
     if (waits) process.on("SIGTERM", () => process.exit(9));
     console.log(Bun.version, process.argv.slice(2).join(" "), process.env.FROM_DOTENV ?? "clean");
     if (waits) setInterval(() => {}, 1000);
     else process.exit(7);`,
  );
  const fake = async (name: string, script: string) => {
    await writeFile(path(`bin/${name}`), `#!/bin/sh\n${script}\n`);
    await chmod(path(`bin/${name}`), 0o755);
  };
  const launch = (runtime: string, ...args: string[]) =>
    Bun.spawn([runtime, path("scripts/with-bun.mjs"), "scripts/hello.ts", ...args], {
      env: { PATH: path("bin") },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: 15_000,
    });
  return { path, fake, launch, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

function node() {
  const path = Bun.which("node");
  if (!path) throw new Error("These tests need Node, as `npm start` does.");
  return path;
}

async function outcome(child: ReturnType<Awaited<ReturnType<typeof aProject>>["launch"]>) {
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}

describe("with-bun", () => {
  test("runs the script with the pinned Bun of the PATH, its arguments and its exit code", async () => {
    await using project = await aProject();
    await symlink(process.execPath, project.path("bin/bun"));
    expect(await outcome(project.launch(node(), "a", "--b"))).toEqual({
      code: 7,
      stdout: `${Bun.version} a --b clean\n`,
      stderr: "",
    });
  });

  test("runs under Bun itself, as in `bun run start`", async () => {
    await using project = await aProject();
    expect(await outcome(project.launch(process.execPath, "x"))).toMatchObject({
      code: 7,
      stdout: `${Bun.version} x clean\n`,
    });
  });

  test("passes SIGTERM on and keeps the exit code that follows", async () => {
    await using project = await aProject();
    await symlink(process.execPath, project.path("bin/bun"));
    const child = project.launch(node(), "wait");
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(9);
  });

  test("ignores a Bun of another version, and says so when npm cannot install the right one", async () => {
    await using project = await aProject();
    await project.fake("bun", 'if [ "$1" = --version ]; then echo 1.0.0; else echo the wrong bun; fi');
    await project.fake("npm", 'echo "npm $*" >&2; exit 3');
    const { code, stdout, stderr } = await outcome(project.launch(node()));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("npm ci --ignore-scripts");
    expect(stderr).toContain("npm ended with 3");
  });

  test("installs the packages when the lock file has changed", async () => {
    await using project = await aProject();
    await project.fake("bun", `if [ "$1" = --version ]; then echo ${Bun.version}; else echo "bun $*"; fi`);
    await writeFile(project.path("bun.lock"), "# another lock file");
    const first = await outcome(project.launch(node()));
    expect(first.stderr).toContain("bun install --frozen-lockfile --ignore-scripts");
    expect((await outcome(project.launch(node()))).stderr).not.toContain("bun install");
  });
});
