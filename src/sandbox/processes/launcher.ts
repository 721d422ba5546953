import {
  closeSync,
  constants as fileConstants,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { constants } from "node:os";
import { become, closeFrom } from "../../linux/execute.ts";
import { type LandlockRule, restrictFiles } from "../../linux/landlock.ts";
import { dieWithParent, dropPrivileges, renounceNewPrivileges } from "../../linux/privileges.ts";
import { limitResources } from "../../linux/rlimits.ts";
import { filterCalls } from "../../linux/seccomp.ts";
import { kernel } from "../../linux/system-calls.ts";
import { type LaunchPolicy, probeWord, readPolicy } from "./launch-policy.ts";

/** As shells have it: not found, found but no program; and one of our own for a sandbox that could not be made. */
const exitCodes = { notFound: 127, notRunnable: 126, noSandbox: 125 } as const;

/** Steps aside for this server: other programs get processor time last, and run out of memory first. */
function yieldToServer() {
  kernel().try("setpriority", 0, 0, 5);
  try {
    writeFileSync("/proc/self/oom_score_adj", "500");
  } catch {
    // Read-only in some containers.
  }
}

function confine(policy: LaunchPolicy) {
  const rules: readonly LandlockRule[] = [
    ...policy.system.map((path) => ({ path, access: "read", follow: true }) as const),
    ...policy.devices.map((path) => ({ path, access: "device" }) as const),
    ...policy.read.map((path) => ({ path, access: "read" }) as const),
    ...policy.write.map((path) => ({ path, access: "write" }) as const),
  ];
  restrictFiles({
    version: policy.landlock,
    rules,
    connectPorts: policy.port === null ? [] : [policy.port],
    beforeLast() {
      dropPrivileges(policy.user ?? undefined);
      dieWithParent();
      renounceNewPrivileges();
    },
  });
  filterCalls({
    tcp: policy.port !== null,
    local: policy.local,
    landlock: policy.landlock,
    protect: policy.protect,
  });
}

/** Keeps the granted descriptors alone; returns those of the groups, which cannot be opened any more once it is confined. */
function openGroups({ lastDescriptor, groups, groupsOpened }: LaunchPolicy): readonly number[] {
  const first = lastDescriptor + 1;
  closeFrom(groupsOpened ? first + groups.length : first);
  return groups.map((path, index) => (groupsOpened ? first + index : openSync(path, fileConstants.O_WRONLY)));
}

/** Last of all: from here on each new process and thread counts, and each byte, and a launcher has more than a program. */
function joinGroups(handles: readonly number[]) {
  for (const handle of handles) {
    writeSync(handle, "0");
    closeSync(handle);
  }
}

function failed(code: number, text: string): number {
  try {
    writeSync(2, `openclaw: ${text}\n`);
  } catch {
    // Nobody reads it.
  }
  return code;
}

/** Whether anything that was taken away is still there: a sentence then. */
function probe(): string | undefined {
  const refused = -constants.errno.EPERM;
  if (kernel().try("socket", 2, 1, 0) !== refused) return "sockets can still be made";
  try {
    readdirSync("/");
    return "the root folder can still be read";
  } catch {
    return undefined;
  }
}

/**
 * Takes this process's own rights away, one after the other, then becomes the program that `words` name. Returns the
 * exit code only when that could not be done; nothing of the program ran then.
 */
export function launch(words: readonly string[]): number {
  const policy = readPolicy(readFileSync("/proc/self/environ", "utf8"));
  if (policy === undefined || words.length === 0)
    return failed(exitCodes.noSandbox, "this is for the server itself; see openclaw --help.");
  try {
    const groups = openGroups(policy);
    // Its own session: without the terminal that the server may have been started on.
    kernel().try("setsid");
    yieldToServer();
    limitResources(policy);
    process.chdir(policy.cwd);
    if (policy.confined) confine(policy);
    else dieWithParent();
    joinGroups(groups);
  } catch (error) {
    return failed(exitCodes.noSandbox, `the sandbox could not be made: ${String(error)}`);
  }
  if (words[0] === probeWord) {
    const fault = probe();
    return fault === undefined ? 0 : failed(exitCodes.noSandbox, fault);
  }
  const error = become(words, policy.environment);
  const [name = ""] = words;
  const { ENOENT, ENOTDIR, E2BIG } = constants.errno;
  if (error === ENOENT || error === ENOTDIR) return failed(exitCodes.notFound, `${name}: not found`);
  if (error === E2BIG) return failed(exitCodes.notRunnable, `${name}: its arguments are too long`);
  return failed(exitCodes.notRunnable, `${name}: cannot be run here (error ${error})`);
}
