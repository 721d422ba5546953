import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPrograms, type ProgramSettings } from "../../src/sandbox/processes/create-programs.ts";
import type { Programs, ProgramSpec, RunOptions } from "../../src/sandbox/processes/programs.ts";

/** Roomy enough for every honest program, and tight enough that a test of a limit is quick. */
export const programSettings: ProgramSettings = {
  sandbox: "auto",
  sandboxUser: undefined,
  processMemoryBytes: 256 * 1024 * 1024,
  processCount: 64,
  processFileBytes: 16 * 1024 * 1024,
};

/** A user of this machine that nobody is. */
export const stranger = 10_001;

export interface SandboxedOptions {
  readonly settings?: Partial<ProgramSettings>;
  /** False: as if bubblewrap were not there. */
  readonly namespaces?: boolean;
  /** Owner of the workspace; programs run as that user when the test is root. */
  readonly owner?: number;
}

/** The sandbox of processes around a workspace, beside a folder `outside` with a canary in it; both go with it. */
export interface Sandboxed extends AsyncDisposable {
  readonly programs: Programs;
  readonly workspace: string;
  /** Path of a file that no program may see or change; it holds `CANARY`. */
  readonly canary: string;
  run(
    words: readonly string[],
    more?: Partial<ProgramSpec>,
    options?: Partial<RunOptions>,
  ): ReturnType<Programs["run"]>;
  /** A line of `sh` in the workspace. */
  sh(line: string, more?: Partial<ProgramSpec>, options?: Partial<RunOptions>): ReturnType<Programs["run"]>;
}

export async function sandboxed({ settings, namespaces, owner }: SandboxedOptions = {}): Promise<Sandboxed> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "sandboxed-")));
  const workspace = join(base, "workspace");
  const canary = join(base, "outside", "canary");
  mkdirSync(workspace);
  mkdirSync(join(base, "outside"));
  writeFileSync(canary, "CANARY", { mode: 0o644 });
  // Everybody may look in: what keeps programs out is the sandbox alone.
  for (const path of [base, join(base, "outside")]) Bun.spawnSync(["chmod", "755", path]);
  if (owner !== undefined) {
    chownSync(workspace, owner, owner);
    // Its own, so that only the sandbox stands between.
    chownSync(canary, owner, owner);
  }
  const programs = await createPrograms(
    { ...programSettings, ...settings },
    { never: [join(base, "outside")], workspace, ...(namespaces !== undefined && { namespaces }) },
  );
  const run: Sandboxed["run"] = (words, more, options) =>
    programs.run(
      { stages: [words], cwd: workspace, read: [], write: [workspace], ...more },
      { signal: AbortSignal.timeout(50_000), ...options },
    );
  return {
    programs,
    workspace,
    canary,
    run,
    sh: (line, more, options) => run(["sh", "-c", line], more, options),
    async [Symbol.asyncDispose]() {
      await programs.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}
