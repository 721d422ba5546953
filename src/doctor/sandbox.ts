import { refuseUnconfined } from "../config/exposure.ts";
import type { Settings } from "../config/settings.ts";
import type { Finding } from "./check.ts";

const sandboxFix =
  "Use a host with Landlock, or take away what runs programs; OPENCLAW_SANDBOX=none does without a sandbox.";

async function inspectFolders(settings: Settings): Promise<string> {
  const { openRoots } = await import("../sandbox/files/roots.ts");
  const roots = openRoots(settings.sandbox);
  try {
    const { read, write } = roots;
    return read.length + write.length === 0
      ? "no folder is granted, so no file tool is on"
      : `${read.length} folders may be read, ${write.length} written`;
  } finally {
    roots.close();
  }
}

/** What this host offers for programs; tried out only where something that is granted would run one. */
async function inspectPrograms(settings: Settings): Promise<Finding> {
  const { sandbox, store } = settings;
  const { runsPrograms } = await import("../sandbox/processes/runs-programs.ts");
  if (!runsPrograms(sandbox)) {
    const { landlockVersion } = await import("../linux/landlock.ts");
    const version = landlockVersion();
    const offer = version === 0 ? "no Landlock here" : `Landlock ${version} here`;
    return { state: "ok", text: `nothing that is granted runs programs (${offer})` };
  }
  const { createPrograms } = await import("../sandbox/processes/create-programs.ts");
  const { host } = await createPrograms(
    // What is required and missing is said below, like everything else.
    { ...sandbox, sandbox: sandbox.sandbox === "none" ? "none" : "auto" },
    { never: [store.dataDir], workspace: sandbox.workspace },
  );
  const text = `programs: ${host.text}`;
  const refusal = refuseUnconfined(settings, host.works);
  if (refusal !== undefined) return { state: "fail", text: `${text}. ${refusal}` };
  if (sandbox.sandbox === "none")
    return { state: "warn", text, fix: "Set OPENCLAW_SANDBOX=auto: programs may do all that this user may." };
  if (!host.works) return { state: "fail", text, fix: sandboxFix };
  return host.warning === undefined ? { state: "ok", text } : { state: "warn", text, fix: host.warning };
}

/** The granted folders, and what holds granted programs. */
export async function inspectSandbox(settings: Settings): Promise<Finding> {
  const folders = await inspectFolders(settings);
  const programs = await inspectPrograms(settings);
  return { ...programs, text: `${folders}; ${programs.text}` };
}
