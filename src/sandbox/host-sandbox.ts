import { accessSync, constants, readlinkSync, realpathSync } from "node:fs";
import { landlockVersion } from "../linux/landlock.ts";
import { type LaunchPolicy, probeWord } from "./launch-policy.ts";
import { runProgram } from "./run-program.ts";
import { startOf } from "./start-program.ts";

/** What programs find when they look for others. */
export const searchPath = "/usr/local/bin:/usr/bin:/bin";

const probeMs = 10_000;

/** What the probe found. */
export interface Probed {
  /** 0: there is no sandbox. */
  readonly landlock: number;
  /** Path of bubblewrap, where it works. */
  readonly bubblewrap?: string;
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
async function tryOut(policy: LaunchPolicy, bubblewrap: string | undefined): Promise<string | undefined> {
  const { exitCode, output } = await runProgram({
    starts: [startOf([probeWord], policy, bubblewrap)],
    mark: policy.mark,
    namespaces: bubblewrap !== undefined,
    owned: new Set(),
    signal: AbortSignal.timeout(probeMs),
    limits: { memoryBytes: Number.POSITIVE_INFINITY, processes: Number.POSITIVE_INFINITY },
    maxOutputBytes: 2000,
  });
  return exitCode === 0 ? undefined : output.trim() || `it ended with ${exitCode}`;
}

/** A program that was replaced while it runs has no path, and bubblewrap needs one. */
const hasPath = () => !readlinkSync("/proc/self/exe").endsWith(" (deleted)");

/** Looks what this host offers by trying it: once, about as long as two programs take. */
export async function probeHost(
  policyOf: (landlock: number) => LaunchPolicy,
  useBubblewrap: boolean,
): Promise<Probed> {
  const landlock = landlockVersion();
  if (landlock === 0)
    return {
      landlock,
      fault:
        "this kernel has no Landlock (Linux 5.13 or newer, with landlock among the modules of its lsm= parameter), or the container forbids it",
    };
  const bubblewrap = useBubblewrap && hasPath() ? findProgram("bwrap") : undefined;
  const [plain, wrapped] = await Promise.all([
    tryOut(policyOf(landlock), undefined),
    bubblewrap === undefined ? "not there" : tryOut(policyOf(landlock), bubblewrap),
  ]);
  if (plain !== undefined) return { landlock: 0, fault: plain };
  return wrapped === undefined && bubblewrap !== undefined ? { landlock, bubblewrap } : { landlock };
}
