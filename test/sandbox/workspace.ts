import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenBeneath } from "../../src/linux/open-beneath.ts";
import type { After } from "../../src/sandbox/deadline.ts";
import { lendFiles } from "../../src/sandbox/files/files.ts";
import type { NarrowFiles } from "../../src/sandbox/files/narrow-files.ts";
import { openRoots } from "../../src/sandbox/files/roots.ts";
import { createSandbox, type Lend } from "../../src/sandbox/sandbox.ts";
import type { AnyTool, CallContext, ToolResult } from "../../src/sandbox/tool.ts";
import { tools } from "../../src/tools/index.ts";

export interface Options {
  readonly readRoots?: readonly string[];
  readonly writeRoots?: readonly string[];
  readonly openBeneath?: OpenBeneath;
  readonly narrowFiles?: NarrowFiles;
  readonly tools?: readonly AnyTool[];
  readonly lend?: Lend;
  readonly timeoutMs?: number;
  readonly timeoutMaxMs?: number;
  /** A clock that the test moves. */
  readonly after?: After;
}

/** A real temporary workspace (`work`, with `outside` and `data` beside it) and a sandbox that works in it. */
export function aWorkspace(options: Options = {}) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "openclaw-tools-")));
  const [work, outside, data] = [join(base, "work"), join(base, "outside"), join(base, "work", ".data")];
  for (const folder of [work, outside, data]) mkdirSync(folder);
  const { readRoots = ["."], writeRoots = ["."], openBeneath, narrowFiles } = options;
  const roots = openRoots({ workspace: work, readRoots, writeRoots });
  const files = lendFiles(roots, {
    never: [data],
    ...(openBeneath && { openBeneath }),
    ...(narrowFiles && { narrowFiles }),
  });
  const sandbox = createSandbox({
    tools: options.tools ?? tools,
    lend: { ...files, time: () => ({ now: () => 1_700_000_000_000 }), ...options.lend },
    timeoutMs: options.timeoutMs ?? 10_000,
    timeoutMaxMs: options.timeoutMaxMs ?? 20_000,
    graceMs: 50,
    ...(options.after && { after: options.after }),
  });
  return {
    base,
    work,
    outside,
    data,
    sandbox,
    call: (name: string, input: unknown, context: Partial<CallContext> = {}) =>
      runCall(sandbox.prepare(name, JSON.stringify(input)), context),
    remove() {
      roots.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export type Workspace = ReturnType<typeof aWorkspace>;

export const aCaller = { turnId: "turn", callId: "call", sessionId: "session", principal: "operator" };

export async function runCall(
  prepared: ReturnType<ReturnType<typeof createSandbox>["prepare"]>,
  context: Partial<CallContext> = {},
): Promise<ToolResult> {
  if (!prepared.ok) return prepared.result;
  return prepared.run({ caller: aCaller, signal: new AbortController().signal, emit: () => {}, ...context });
}
