import { join } from "node:path";

const root = join(import.meta.dir, "..");
/** One by one: a glob of Bun that begins with a brace and holds `**` finds nothing. */
const inputs = [
  "src/**/*",
  "scripts/{build,build-page,build-pdf-data,openai-fix-ups,pdf-fix-ups,playwright-fix-ups,template,whole-modules}.ts",
  "scripts/bun/*",
  "{package,tsconfig}.json",
  "bun.lock",
].map((pattern) => new Bun.Glob(pattern));

/** The files that the executable is made from, by their paths in the project, in order. */
export async function inputPaths(): Promise<readonly string[]> {
  const found = await Promise.all(inputs.map((glob) => Array.fromAsync(glob.scan(root))));
  return found
    .flat()
    .filter((path) => !path.endsWith(".md"))
    .sort();
}

/** A hash over all that the executable is made from: its value changes when a build would. */
async function hashInputs() {
  const hash = new Bun.CryptoHasher("sha256").update(`${process.arch} ${Bun.version}`);
  for (const path of await inputPaths())
    hash.update(`\0${path}\0`).update(await Bun.file(join(root, path)).arrayBuffer());
  return hash.digest("hex");
}

/** Builds dist/openclaw when something that it is made from has changed, and returns its path. Throws when the build fails. */
export async function ensureBuilt(): Promise<string> {
  const path = join(root, "dist/openclaw");
  const stamp = Bun.file(join(root, "dist/openclaw.built-from"));
  const hash = await hashInputs();
  const fresh = (await stamp.exists()) && (await stamp.text()) === hash && (await Bun.file(path).exists());
  if (fresh) return path;
  // A process of its own: what a build takes is given back when it ends.
  const build = Bun.spawn([process.execPath, join(import.meta.dir, "build.ts")], {
    cwd: root,
    stdin: "ignore",
    stdout: Bun.stderr,
    stderr: "inherit",
  });
  if ((await build.exited) !== 0) throw new Error("The build failed: see above.");
  await Bun.write(stamp, hash);
  return path;
}
