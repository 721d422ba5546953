import { join } from "node:path";

/** Runs one of the project's scripts to its end: what it wrote, on both streams, and its exit code. */
export async function runScript(name: string, args: readonly string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../scripts", name), ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}
