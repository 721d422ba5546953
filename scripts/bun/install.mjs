// Plain Node (18 or later) or Bun, no packages: this is what runs before anything is installed.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..");
const packageNames = { x64: "bun-linux-x64", arm64: "bun-linux-aarch64" };

/** The version that package.json pins, as in `bun@1.4.5`. */
export const bunVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split(
  "@",
)[1];

/** Where the Bun for a processor (`x64`, `arm64`) lies once it is installed. */
export const bunPath = (arch) =>
  join(root, ".bun", `${bunVersion}-${arch}`, "node_modules", "@oven", packageNames[arch], "bin", "bun");

/**
 * Installs the pinned Bun for a processor below `.bun/` unless it is there, and returns its path. npm takes it from the
 * registry that it is set up for and checks it against package-lock.json; no install script runs.
 */
export function installBun(arch) {
  const path = bunPath(arch);
  if (existsSync(path)) return path;
  mkdirSync(join(root, ".bun"), { recursive: true });
  // Installed aside and renamed, so that two that start at once, or one that is killed, leave nothing half.
  const aside = mkdtempSync(join(root, ".bun", "new-"));
  try {
    for (const name of ["package.json", "package-lock.json"])
      copyFileSync(join(here, name), join(aside, name));
    console.error(`Installing Bun ${bunVersion} (${arch}) into .bun/ …`);
    const npm = spawnSync(
      "npm",
      ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--os=linux", "--libc=glibc", `--cpu=${arch}`],
      { cwd: aside, stdio: ["ignore", 2, 2] },
    );
    if (npm.error)
      throw new Error(`Cannot install Bun ${bunVersion}: npm does not start (${npm.error.message}).`);
    if (npm.status !== 0) throw new Error(`Cannot install Bun ${bunVersion}: npm ended with ${npm.status}.`);
    try {
      renameSync(aside, join(root, ".bun", `${bunVersion}-${arch}`));
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  if (!existsSync(path)) throw new Error(`Cannot install Bun ${bunVersion}: npm left no ${path}.`);
  return path;
}
