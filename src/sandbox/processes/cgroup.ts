import { mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { kernel } from "../../linux/system-calls.ts";
import { type CallGroup, openCallGroup } from "./call-group.ts";
import {
  type Controller,
  findPlaces,
  type GroupPlace,
  readGroup,
  serverGroup,
  writeGroup,
} from "./cgroup-places.ts";
import { isLeftOver, processName } from "./process-name.ts";
import type { WatchLimits } from "./watch-processes.ts";

const prefix = "openclaw-call-";
/** The groups of this server's calls. */
export interface CallGroups {
  /** What they hold. */
  readonly controllers: readonly Controller[];
  /** Throws when the kernel refuses. */
  open(limits: WatchLimits): CallGroup;
}

const words = (text: string) => text.split(/\s+/);

/** systemd marks what it has given away; of its other groups it is the only master. */
function isDelegated(folder: string): boolean {
  const path = Buffer.from(`${folder}\0`);
  return ["user.delegate", "trusted.delegate"].some((name) => {
    const value = new Uint8Array(8);
    const size = kernel().try("getxattr", path, Buffer.from(`${name}\0`), value, value.length);
    return size === 1 && value[0] === "1".charCodeAt(0);
  });
}

/** Whether groups below may be made by us: nobody else rules there. */
function isOurs({ folder, top, version }: GroupPlace): boolean {
  const uid = process.getuid?.();
  if (uid !== 0) return version === 2 && statSync(folder).uid === uid;
  return top || (version === 2 && isDelegated(folder));
}

/** Lets groups below have the controllers. Throws when processes that are not ours are in the way. */
function handOn({ folder, controllers }: GroupPlace) {
  const on = words(readGroup(folder, "cgroup.subtree_control"));
  if (controllers.every((each) => on.includes(each))) return;
  const text = controllers.map((each) => `+${each}`).join(" ");
  try {
    writeGroup(text, folder, "cgroup.subtree_control");
  } catch {
    mkdirSync(join(folder, serverGroup), { recursive: true });
    writeGroup("0", folder, serverGroup, "cgroup.procs");
    try {
      writeGroup(text, folder, "cgroup.subtree_control");
    } catch (error) {
      writeGroup("0", folder, "cgroup.procs");
      rmdirSync(join(folder, serverGroup));
      throw error;
    }
  }
}

/** Takes away what servers that are gone left: groups with our name alone, and all that is in them. */
function sweep(folder: string) {
  for (const name of readdirSync(folder).filter((each) => isLeftOver(each, prefix))) {
    try {
      for (const pid of words(readGroup(folder, name, "cgroup.procs")).map(Number))
        if (pid > 1 && pid !== process.pid) process.kill(pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
    try {
      rmdirSync(join(folder, name));
    } catch {
      // The next start finds it.
    }
  }
}

/** Where this server may make groups; the reason why not is nobody's business, the watch is there. */
function usablePlaces(): readonly GroupPlace[] {
  const places = findPlaces(
    readGroup("/proc/self/cgroup"),
    readGroup("/proc/self/mountinfo"),
    (folder, controller) => words(readGroup(folder, "cgroup.controllers")).includes(controller),
  );
  return places.filter((place) => {
    try {
      if (!isOurs(place)) return false;
      if (place.version === 2) handOn(place);
      sweep(place.folder);
      return true;
    } catch {
      return false;
    }
  });
}

let lastNumber = 0;

/**
 * Finds where the kernel lets this server make control groups of its own, below the one that it is in: so no limit that
 * is set on the server is left. Undefined when it may nowhere. Whether they work is seen when one is used.
 */
export function findCallGroups(): CallGroups | undefined {
  const places = usablePlaces();
  if (places.length === 0) return undefined;
  const name = prefix + processName();
  return {
    controllers: places.flatMap(({ controllers }) => controllers),
    open(limits) {
      lastNumber += 1;
      return openCallGroup(places, `${name}-${lastNumber}`, limits);
    },
  };
}
