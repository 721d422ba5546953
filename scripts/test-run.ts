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
  { timeoutMs = 60_000, env = {} }: { timeoutMs?: number; env?: Record<string, string> } = {},
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
  const report = existsSync(junit) ? await Bun.file(junit).text() : "";
  // Once more at the end, where whoever reads the log looks first.
  for (const failure of readFailures(report)) console.error(failure);
  const counts = readCounts(report);
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The figures of a JUnit report; a skipped test checks nothing, so it counts as failed. */
export function readCounts(xml: string): Counts {
  const suites = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const figure = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const failed = figure("failures") + figure("errors") + figure("skipped");
  return { passed: figure("tests") - failed, failed };
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const plain = (text: string) =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "");

/** What failed, of a JUnit report: each test with what it said, at most `most` characters of it. */
export const readFailures = (xml: string, most = 3000): readonly string[] =>
  [
    ...xml.matchAll(/<testcase name="([^"]*)"[^>]*? file="([^"]*)"[^>]*>\s*<failure[^>]*?(?:\/>|>([^<]*)<)/g),
  ].map(
    ([, name = "", file = "", said = ""]) =>
      `FAILED: ${plain(name)} (${plain(file)})\n${plain(said).slice(0, most)}`,
  );

/** What tests need beside Bun, by the name of its package. */
const programs = {
  bubblewrap: { path: "/usr/bin/bwrap", tests: "the sandbox of processes" },
  chromium: { path: "/usr/bin/chromium", tests: "the chat page" },
  "mariadb-server-core": { path: "/usr/sbin/mariadbd", tests: "the database tool on MariaDB" },
  git: { path: "/usr/bin/git", tests: "the git tool" },
  postgresql: { path: "/usr/lib/postgresql", tests: "the store on PostgreSQL" },
  prometheus: { path: "/usr/bin/prometheus", tests: "the metrics" },
  curl: { path: "/usr/bin/curl", tests: "the egress proxy" },
  python3: { path: "/usr/bin/python3", tests: "code_exec" },
  ripgrep: { path: "/usr/bin/rg", tests: "search_files in big trees" },
  strace: { path: "/usr/bin/strace", tests: "faults of the disk" },
} as const;

/** Installs what tests need and is missing; what fails is said, and those tests then fail. */
export async function ensurePrograms() {
  const missing = Object.entries(programs).filter(([, { path }]) => !existsSync(path));
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const why = missing.map(([name, { tests }]) => `${name} for the tests of ${tests}`).join(", ");
  if (process.getuid?.() !== 0) {
    console.error(`Missing: ${why}. This user cannot install it: apt-get install ${names.join(" ")}.`);
    return;
  }
  console.error(`Installing ${why} …`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const updated = await runCommand(["apt-get", "update", "-qq"], env);
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
  const installed = await runCommand([...install, ...names], env);
  if (updated !== 0 || installed !== 0)
    console.error(`apt-get could not install ${names.join(" ")} (${updated}, ${installed}).`);
}
