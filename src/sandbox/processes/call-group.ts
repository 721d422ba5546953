import { mkdirSync, rmdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Controller, type GroupPlace, readGroup, serverGroup, writeGroup } from "./cgroup-places.ts";
import type { WatchLimits } from "./watch-processes.ts";

/** How long a group is asked to go after its last process: those that ended may take a moment. */
const removeMs = 2000;

/** What the kernel holds the processes of one call in, while they live and after. */
export interface CallGroup {
  /** Files that a process writes `0` to, which makes it, and all it starts, a member. */
  readonly joins: readonly string[];
  /** What the kernel limits; the rest is left to a watch. */
  readonly holds: readonly Controller[];
  /** The limit that the kernel has refused to go over so far. */
  over(): "memory" | "processes" | undefined;
  /** Ends all members at one moment, where the kernel can; ending them one by one is still to be done. */
  end(): void;
  /** After its last process. Rejects when the group does not go. */
  remove(): Promise<void>;
}

const countIn = (text: string, name: string) =>
  Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);

const bytes = (limit: number) => (Number.isFinite(limit) ? String(limit) : undefined);

/** What is written into a group's files, as far as the kernel has them; the first of a controller must be there. */
function limitsOf({ version, controllers }: GroupPlace, { memoryBytes, processes }: WatchLimits) {
  const pids = Number.isFinite(processes) ? String(processes) : "max";
  const memory = bytes(memoryBytes);
  const memoryFiles =
    version === 2
      ? { "memory.max": memory ?? "max", "memory.swap.max": "0", "memory.oom.group": "1" }
      : { "memory.limit_in_bytes": memory ?? "-1", "memory.memsw.limit_in_bytes": memory ?? "-1" };
  return [
    ...(controllers.includes("pids") ? [{ "pids.max": pids }] : []),
    ...(controllers.includes("memory") ? [memoryFiles] : []),
  ];
}

function makeGroup(place: GroupPlace, name: string, limits: WatchLimits): string {
  const folder = join(place.folder, name);
  mkdirSync(folder);
  try {
    for (const files of limitsOf(place, limits))
      for (const [index, [file, value]] of Object.entries(files).entries())
        try {
          writeGroup(value, folder, file);
        } catch (error) {
          // Swap is not counted on every machine.
          if (index === 0) throw error;
        }
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
  return folder;
}

async function removeGroup(folder: string) {
  const until = performance.now() + removeMs;
  for (;;) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      if (performance.now() > until) throw error;
      await Bun.sleep(5);
    }
  }
}

/** Makes the group of one call, in all places. Throws when the kernel refuses; nothing is left then. */
export function openCallGroup(places: readonly GroupPlace[], name: string, limits: WatchLimits): CallGroup {
  const folders: string[] = [];
  try {
    for (const place of places) folders.push(makeGroup(place, name, limits));
  } catch (error) {
    for (const folder of folders) rmdirSync(folder);
    throw error;
  }
  const isNew = (index: number) => places[index]?.version === 2;
  // Moving a process waits for all processors, unless somebody does so already: that wait begins now, and is over when
  // the launcher is ready.
  for (const [index, folder] of folders.entries())
    if (isNew(index)) writeFile(join(folder, "..", serverGroup, "cgroup.procs"), "0").catch(() => undefined);
  return {
    holds: places.flatMap(({ controllers }) => controllers),
    // A thread of version 1 moves without that wait. It is the launcher's only one that is still there after its exec.
    joins: folders.map((folder, index) => join(folder, isNew(index) ? "cgroup.procs" : "tasks")),
    over() {
      for (const folder of folders) {
        if (countIn(readGroup(folder, "memory.events"), "oom_kill") > 0) return "memory";
        if (countIn(readGroup(folder, "memory.oom_control"), "oom_kill") > 0) return "memory";
        if (countIn(readGroup(folder, "pids.events"), "max") > 0) return "processes";
      }
      return undefined;
    },
    end() {
      for (const [index, folder] of folders.entries())
        try {
          if (isNew(index)) writeGroup("1", folder, "cgroup.kill");
        } catch {
          // Older than Linux 5.14.
        }
    },
    remove: async () => void (await Promise.all(folders.map(removeGroup))),
  };
}

/** What a watch still has to look at. It would count launchers, too, which are more threads than the programs they become. */
export const leftToWatch = (limits: WatchLimits, group: CallGroup | undefined): WatchLimits => ({
  memoryBytes: group?.holds.includes("memory") ? Number.POSITIVE_INFINITY : limits.memoryBytes,
  processes: group?.holds.includes("pids") ? Number.POSITIVE_INFINITY : limits.processes,
});
