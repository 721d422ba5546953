import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createEgress } from "../../src/sandbox/net/create-egress.ts";
import { createPrograms } from "../../src/sandbox/processes/create-programs.ts";
import { type GitSettings, lendGit } from "../../src/sandbox/git/git.ts";
import { openRoots } from "../../src/sandbox/files/roots.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { CallContext } from "../../src/sandbox/tool.ts";
import { git } from "../../src/tools/git.ts";
import { runCall } from "../sandbox/workspace.ts";

export interface GitOptions extends Partial<GitSettings> {
  readonly sandbox?: "auto" | "none";
  readonly writeRoots?: readonly string[];
}

const mebibyte = 1_048_576;

/** A workspace in which the `git` tool works, in the real sandbox of processes, with `outside` beside it. */
export async function aGit({ sandbox = "auto", writeRoots = ["."], ...more }: GitOptions = {}) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-git-")));
  const [work, outside] = [join(base, "work"), join(base, "outside")];
  for (const folder of [work, outside]) mkdirSync(folder);
  const settings: GitSettings = {
    allowGit: true,
    allowGitFetch: true,
    allowGitPush: true,
    allowPrivateNetwork: true,
    ...more,
  };
  const roots = openRoots({ workspace: work, readRoots: ["."], writeRoots });
  const programs = await createPrograms(
    {
      sandbox,
      sandboxUser: undefined,
      processMemoryBytes: 1024 * mebibyte,
      processCount: 128,
      processFileBytes: 1024 * mebibyte,
    },
    { never: [join(base, "data")], workspace: work },
  );
  const { allowPrivateNetwork } = settings;
  const egress = createEgress({ allowedHosts: [], allowPrivateNetwork, ownPort: () => undefined });
  const never = [join(base, "data")];
  const { lend } = lendGit(settings, { programs, egress, roots, never });
  const tools = createSandbox({
    tools: [git],
    lend,
    timeoutMs: 20_000,
    timeoutMaxMs: 20_000,
    graceMs: 10_000,
  });

  return {
    base,
    work,
    outside,
    /** One call of the tool. */
    call: (
      subcommand: string,
      args: readonly string[] = [],
      more: Partial<CallContext> & { cwd?: string } = {},
    ) => {
      const { cwd, ...context } = more;
      return runCall(
        tools.prepare("git", JSON.stringify({ subcommand, args, ...(cwd && { cwd }) })),
        context,
      );
    },
    effect(subcommand: string, args: readonly string[] = []) {
      const prepared = tools.prepare("git", JSON.stringify({ subcommand, args }));
      return prepared.ok ? prepared.effect : prepared.result;
    },
    write(path: string, text: string, folder = work) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    /** The host's own git, as an operator or an attacker has it, outside every sandbox. */
    plain(args: readonly string[], cwd = work): string {
      const environment = { PATH: process.env["PATH"] ?? "", HOME: base, GIT_CONFIG_NOSYSTEM: "1" };
      const author = [
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.com",
        "-c",
        "init.defaultBranch=main",
      ];
      const ran = Bun.spawnSync(["git", ...author, ...args], { cwd, env: environment });
      if (ran.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${ran.stderr.toString()}`);
      return ran.stdout.toString();
    },
    async remove() {
      await programs.close();
      await egress.close();
      roots.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export type Git = Awaited<ReturnType<typeof aGit>>;
