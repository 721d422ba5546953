import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { bubblewrapWords } from "./bubblewrap.ts";
import { type LaunchPolicy, launchWord, policyVariable } from "./launch-policy.ts";

const self = "/proc/self/exe";

/** Words that start this very program again as a launcher. `own` is good for a child of ours alone. */
function launcherWords(own: boolean): readonly string[] {
  if (!Bun.main.startsWith("/$bunfs/"))
    return [own ? self : process.execPath, join(import.meta.dir, "../../main.ts"), launchWord];
  return [own ? self : readlinkSync(self), launchWord];
}

/** What starts a program under a policy. */
export interface Start {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Opens the files of the groups for a launcher that will not see them; all but that is bubblewrap's. */
function openingWords({ groups, lastDescriptor }: LaunchPolicy): readonly string[] {
  if (groups.length === 0) return [];
  const opens = groups.map((_, index) => `${lastDescriptor + 1 + index}>"$${index + 1}"`).join(" ");
  return ["/bin/sh", "-c", `exec ${opens}; shift ${groups.length}; exec "$@"`, "sh", ...groups];
}

/** `bubblewrap` is its path, where namespaces are to be added. */
export function startOf(
  words: readonly string[],
  policy: LaunchPolicy,
  bubblewrap: string | undefined,
): Start {
  const namespaces = { write: policy.write, network: policy.port === null };
  const outer =
    bubblewrap === undefined ? [] : [...openingWords(policy), ...bubblewrapWords(bubblewrap, namespaces)];
  const groupsOpened = bubblewrap !== undefined;
  return {
    argv: [...outer, ...launcherWords(bubblewrap === undefined), ...words],
    environment: { [policyVariable]: JSON.stringify({ ...policy, groupsOpened }) },
  };
}

/** Processes and threads that a user has on this machine: the kernel's limit counts all of them. */
export function countTasks(uid: number): number {
  let count = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The links of the folder: itself, its parent, one for each thread.
      if (statSync(`/proc/${name}`).uid === uid)
        count += Math.max(1, statSync(`/proc/${name}/task`).nlink - 2);
    } catch {
      // It ended meanwhile.
    }
  }
  return count;
}
