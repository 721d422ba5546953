import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..");

/** Runs a command of this project with its output on ours; resolves to its exit code. */
export const runCommand = (command: readonly string[], env: Record<string, string> = {}) =>
  Bun.spawn([...command], {
    cwd: root,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  }).exited;

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Runs the tests whose paths contain one of the words, or all. A run that broke off counts as one failed test. */
export async function runTests(
  words: readonly string[],
  { timeoutMs = 20_000, env = {} }: { timeoutMs?: number; env?: Record<string, string> } = {},
): Promise<Counts> {
  const junit = join(root, "dist/junit.xml");
  await Bun.file(junit)
    .delete()
    .catch(() => {});
  const reporter = ["--reporter=junit", `--reporter-outfile=${junit}`];
  const code = await runCommand(
    [process.execPath, "test", `--timeout=${timeoutMs}`, ...reporter, ...words],
    env,
  );
  const counts = existsSync(junit) ? readCounts(await Bun.file(junit).text()) : { passed: 0, failed: 0 };
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The figures of a JUnit report; a skipped test checks nothing, so it counts as failed. */
export function readCounts(xml: string): Counts {
  const suites = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const figure = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const failed = figure("failures") + figure("errors") + figure("skipped");
  return { passed: figure("tests") - failed, failed };
}

const chromium = "/usr/bin/chromium";

/** Installs Chromium for the tests of the chat page when it is missing; what fails is said, and those tests then fail. */
export async function ensureChromium() {
  if (existsSync(chromium)) return;
  if (process.getuid?.() !== 0) {
    console.error(
      `The tests of the chat page need ${chromium}: apt-get install chromium (this user cannot).`,
    );
    return;
  }
  console.error("Installing Chromium for the tests of the chat page …");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const updated = await runCommand(["apt-get", "update", "-qq"], env);
  const installed = await runCommand(
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    env,
  );
  if (updated !== 0 || installed !== 0)
    console.error(`apt-get could not install Chromium (${updated}, ${installed}).`);
}
