// Runs a script of this project with the pinned Bun, installing Bun and the packages first where they are missing:
//   node scripts/with-bun.mjs scripts/start.ts [arguments]
// Needs Node 18 or later with npm, or just Bun, and nothing else.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bunPath, bunVersion, installBun } from "./bun/install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

function findBun() {
  if (process.versions.bun === bunVersion) return process.execPath;
  const installed = bunPath(process.arch);
  if (existsSync(installed)) return installed;
  const asked = spawnSync("bun", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return asked.status === 0 && asked.stdout.trim() === bunVersion ? "bun" : installBun(process.arch);
}

/** Installs the packages when the lock file is not the one that they were installed from. */
function installPackages(bun) {
  const stamp = join(root, "node_modules", ".installed-from");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "bun.lock")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const { status } = spawnSync(bun, ["install", "--frozen-lockfile", "--ignore-scripts"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error(`Cannot install the packages: bun install ended with ${status}.`);
  writeFileSync(stamp, lock);
}

function run(bun, [script, ...rest]) {
  const child = spawn(bun, ["--no-env-file", join(root, script), ...rest], { cwd: root, stdio: "inherit" });
  // A terminal sends Ctrl-C to all of us; passing it on would make two of it, and the second means "at once".
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on("SIGINT", () => onTerminal || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(error));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function fail(error) {
  console.error(error.message);
  process.exit(1);
}

try {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch))
    throw new Error(
      `openclaw builds and runs on Linux (x64, arm64) with glibc, not on ${process.platform} ${process.arch}.`,
    );
  const bun = findBun();
  installPackages(bun);
  run(bun, process.argv.slice(2));
} catch (error) {
  fail(error);
}
