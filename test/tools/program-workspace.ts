import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lendCode } from "../../src/sandbox/code/code.ts";
import type { After } from "../../src/sandbox/deadline.ts";
import { createEgress } from "../../src/sandbox/net/create-egress.ts";
import { createPrograms } from "../../src/sandbox/processes/create-programs.ts";
import { openRoots } from "../../src/sandbox/files/roots.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { lendShell } from "../../src/sandbox/code/shell.ts";
import type { CallContext } from "../../src/sandbox/tool.ts";
import { createRunInWorkspace } from "../../src/sandbox/processes/workspace-programs.ts";
import { tools } from "../../src/tools/index.ts";
import { runCall } from "../sandbox/workspace.ts";

export interface ProgramWorkspaceOptions {
  readonly allowShell?: boolean;
  readonly shellCommands?: readonly string[];
  readonly allowCode?: readonly string[];
  readonly allowProcessNetwork?: boolean;
  readonly hasWorkspace?: boolean;
  readonly readRoots?: readonly string[];
  readonly writeRoots?: readonly string[];
  readonly timeoutMs?: number;
  readonly timeoutMaxMs?: number;
  /** A clock that the test moves. */
  readonly after?: After;
}

const mebibyte = 1024 * 1024;

/** As root, programs become the owner of the workspace: nobody in particular. */
const someUser = 23_456;

/** A real temporary workspace (`work`, with `outside` beside it) with `shell` and `code_exec` in the sandbox of this host. */
export async function aProgramWorkspace(options: ProgramWorkspaceOptions = {}) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-programs-")));
  const [work, outside] = [join(base, "work"), join(base, "outside")];
  for (const folder of [work, outside]) mkdirSync(folder);
  if (process.getuid?.() === 0)
    for (const folder of [base, work, outside]) chownSync(folder, someUser, someUser);

  const { hasWorkspace = true, readRoots = ["."], writeRoots = ["."], allowProcessNetwork = false } = options;
  const workspace = hasWorkspace ? work : undefined;
  const roots = openRoots({
    workspace,
    readRoots: hasWorkspace ? readRoots : [],
    writeRoots: hasWorkspace ? writeRoots : [],
  });
  const limits = { processMemoryBytes: 1024 * mebibyte, processCount: 128, processFileBytes: 64 * mebibyte };
  const programs = await createPrograms(
    { sandbox: "auto", sandboxUser: undefined, ...limits },
    { never: [], workspace },
  );
  const egress = createEgress({ allowedHosts: [], allowPrivateNetwork: false, ownPort: () => undefined });
  const runInWorkspace = createRunInWorkspace({ allowProcessNetwork }, { programs, egress, roots });
  const { allowShell = false, shellCommands = [], allowCode = [] } = options;
  const code = lendCode({ allowCode }, { programs, runInWorkspace });
  const sandbox = createSandbox({
    tools,
    lend: { ...lendShell({ allowShell, shellCommands }, runInWorkspace), ...code.lend },
    timeoutMs: options.timeoutMs ?? 15_000,
    timeoutMaxMs: options.timeoutMaxMs ?? 15_000,
    // What ends programs may be slow here; nobody waits so long otherwise.
    graceMs: 10_000,
    ...(options.after && { after: options.after }),
  });
  return {
    base,
    work,
    outside,
    sandbox,
    call: (name: string, input: unknown, context: Partial<CallContext> = {}) =>
      runCall(sandbox.prepare(name, JSON.stringify(input)), context),
    async remove() {
      await code.close();
      await programs.close();
      await egress.close();
      roots.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export type ProgramWorkspace = Awaited<ReturnType<typeof aProgramWorkspace>>;
