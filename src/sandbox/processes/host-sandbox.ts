import { accessSync, constants, readlinkSync, realpathSync } from "node:fs";
import { landlockVersion } from "../../linux/landlock.ts";
import type { CallGroup } from "./call-group.ts";
import type { CallGroups } from "./cgroup.ts";
import { type LaunchPolicy, probeWord } from "./launch-policy.ts";
import { runProgram } from "./run-program.ts";
import { startOf } from "./start-program.ts";

/** What programs find when they look for others. */
export const searchPath = "/usr/local/bin:/usr/bin:/bin";

const probeMs = 10_000;
const unlimited = { memoryBytes: Number.POSITIVE_INFINITY, processes: Number.POSITIVE_INFINITY };

/** What the probe found. */
export interface Probed {
  /** 0: there is no sandbox. */
  readonly landlock: number;
  /** Path of bubblewrap, where it works. */
  readonly bubblewrap?: string;
  /** Control groups, where they work. */
  readonly groups?: CallGroups;
  /** Why there is no sandbox. */
  readonly fault?: string;
}

/** Real path of a program in the PATH of the sandbox. */
export function findProgram(name: string): string | undefined {
  if (name === "" || name.includes("/")) return undefined;
  for (const folder of searchPath.split(":")) {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return realpathSync(`${folder}/${name}`);
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Starts a launcher that takes its rights away and then looks whether they are gone. Returns what it said when they are not. */
async function tryOut(
  policy: LaunchPolicy,
  bubblewrap: string | undefined,
  group?: CallGroup,
): Promise<string | undefined> {
  const { exitCode, output } = await runProgram({
    starts: [startOf([probeWord], { ...policy, groups: group?.joins ?? [] }, bubblewrap)],
    mark: policy.mark,
    namespaces: bubblewrap !== undefined,
    owned: new Set(),
    signal: AbortSignal.timeout(probeMs),
    limits: unlimited,
    maxOutputBytes: 2000,
  });
  return exitCode === 0 ? undefined : output.trim() || `it ended with ${exitCode}`;
}

/** A program that was replaced while it runs has no path, and bubblewrap needs one. */
const hasPath = () => !readlinkSync("/proc/self/exe").endsWith(" (deleted)");

/** The same in a group of its own: whether a launcher can join it. */
async function worksIn(groups: CallGroups, policy: LaunchPolicy, bubblewrap: string | undefined) {
  try {
    const group = groups.open(unlimited);
    try {
      return (await tryOut(policy, bubblewrap, group)) === undefined;
    } finally {
      await group.remove();
    }
  } catch {
    return false;
  }
}

/** Looks what this host offers by trying it: once, about as long as two programs take. */
export async function probeHost(
  policyOf: (landlock: number) => LaunchPolicy,
  { useBubblewrap, groups }: { readonly useBubblewrap: boolean; readonly groups: CallGroups | undefined },
): Promise<Probed> {
  const landlock = landlockVersion();
  if (landlock === 0)
    return {
      landlock,
      fault:
        "this kernel has no Landlock (Linux 5.13 or newer, with landlock among the modules of its lsm= parameter), or the container forbids it",
    };
  const found = useBubblewrap && hasPath() ? findProgram("bwrap") : undefined;
  const [plain, wrapped] = await Promise.all([
    tryOut(policyOf(landlock), undefined),
    found === undefined ? "not there" : tryOut(policyOf(landlock), found),
  ]);
  if (plain !== undefined) return { landlock: 0, fault: plain };
  const bubblewrap = wrapped === undefined ? found : undefined;
  const grouped = groups !== undefined && (await worksIn(groups, policyOf(landlock), bubblewrap));
  return { landlock, ...(bubblewrap !== undefined && { bubblewrap }), ...(grouped && { groups }) };
}
