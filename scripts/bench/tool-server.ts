import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort, type Program, timeToHealth } from "./process.ts";
import { login, openclawEnv, type Setting, withProgram } from "./setting.ts";

const isRoot = process.getuid?.() === 0;
/** As root, programs become the owner of the workspace. */
const stranger = 10_001;

/** One call that the model of the bench is to ask for. */
export interface AskedCall {
  readonly name: string;
  readonly arguments: object;
}

const path = "/v1/chat/completions";

/** Without bubblewrap, as a host without namespaces is; it hides a program from one process, which only root may. */
const hidden = "mount --bind /dev/null /usr/bin/bwrap && exec";
export const withoutNamespaces: readonly string[] = isRoot
  ? ["unshare", "--mount", "/bin/sh", "-c", `${hidden} "$@"`, "sh"]
  : [];

/** A folder in which programs may work. */
export function makeWorkspace(setting: Setting, name: string): string {
  const workspace = join(setting.folder, name);
  mkdirSync(workspace);
  for (const folder of isRoot ? [setting.folder, workspace] : []) chownSync(folder, stranger, stranger);
  return workspace;
}

let started = 0;

/** Runs `use` on a server of ours whose tools may read the workspace and run programs in it. */
export function withTools<T>(
  setting: Setting,
  { workspace, wrapper = [] }: { workspace: string; wrapper?: readonly string[] },
  use: (program: Program) => Promise<T>,
): Promise<T> {
  const port = freePort();
  const env = openclawEnv(setting, join(setting.folder, `tools-${started++}`), port, {
    OPENCLAW_WORKSPACE: workspace,
    OPENCLAW_ALLOWED_READ_ROOTS: ".",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_ALLOW_SHELL: "true",
    OPENCLAW_ALLOW_CODE: "javascript",
    OPENCLAW_ALLOW_PDF: "true",
    OPENCLAW_PARALLEL_TOOL_CALLS: "50",
    OPENCLAW_TOOL_TIMEOUT_SECONDS: "120",
    PATH: "/usr/bin:/bin",
  });
  return withProgram(timeToHealth([...wrapper, setting.openclaw], env, `http://127.0.0.1:${port}`), use);
}

/** Milliseconds of a turn in whose first step the model asks for these calls; of a plain turn when there are none. */
export async function turnMs(program: Program, calls: readonly AskedCall[]): Promise<number> {
  const content = calls.length === 0 ? "Say twenty tokens." : `Please call: ${JSON.stringify(calls)}`;
  const begin = performance.now();
  const response = await fetch(`${program.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...login },
    body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content }] }),
  });
  const text = await response.text();
  const ms = performance.now() - begin;
  if (!response.ok || !text.includes("token19")) throw new Error(`${content}: ${text.slice(0, 500)}`);
  return ms;
}
