import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Controller = "pids" | "memory";

/** Where groups can be made: the folder of the group that this process is in. */
export interface GroupPlace {
  readonly version: 1 | 2;
  /** What is to be limited there. */
  readonly controllers: readonly Controller[];
  readonly folder: string;
  /** True when it is the topmost group that can be seen: that of the machine or of the container. */
  readonly top: boolean;
}

/** Group that a server moves itself to, because in version 2 a group that hands on controllers holds no processes. */
export const serverGroup = "openclaw-server";

interface Membership {
  readonly names: readonly string[];
  readonly path: string;
}

/** Lines such as `8:pids:/docker/abc`; version 2 has no names. */
const readMemberships = (text: string): readonly Membership[] =>
  text.split("\n").flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return names === undefined || path === undefined ? [] : [{ names: names.split(","), path }];
  });

/** Octal escapes of mountinfo, such as `\040` for a space. */
const plain = (text: string) =>
  text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

interface Mount {
  readonly root: string;
  readonly folder: string;
  readonly version: 1 | 2;
  readonly options: readonly string[];
}

/** Lines such as `39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids`; read-only ones are left out. */
const readMounts = (text: string): readonly Mount[] =>
  text.split("\n").flatMap((line) => {
    const [own = "", file = ""] = line.split(" - ");
    const [, , , root, folder, flags = ""] = own.split(" ");
    const [type, , options = ""] = file.split(" ");
    if (root === undefined || folder === undefined || !flags.split(",").includes("rw")) return [];
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const version = type === "cgroup" ? 1 : 2;
    return [{ root: plain(root), folder: plain(folder), version, options: options.split(",") }];
  });

function placeIn({ root, folder, version }: Mount, path: string): GroupPlace | undefined {
  const suffix = `/${serverGroup}`;
  const own = version === 2 && path.endsWith(suffix) ? path.slice(0, -suffix.length) || "/" : path;
  const below = root === "/" ? own : own === root ? "/" : own.slice(root.length);
  // A path such as `/../x` lies outside of what this container can see.
  if ((root !== "/" && !`${own}/`.startsWith(`${root}/`)) || below.startsWith("/..")) return undefined;
  const top = below === "/";
  return { version, controllers: [], folder: top ? folder : folder + below, top };
}

/**
 * Finds the places for each controller from the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`: version 2 where
 * `hasController` says that it is there, else version 1. Never more than one place for a controller.
 */
export function findPlaces(
  cgroup: string,
  mountinfo: string,
  hasController: (folder: string, controller: Controller) => boolean,
): readonly GroupPlace[] {
  const mounts = readMounts(mountinfo);
  const places: GroupPlace[] = [];
  const missing = new Set<Controller>(["pids", "memory"]);
  for (const version of [2, 1] as const)
    for (const { names, path } of readMemberships(cgroup)) {
      const mount = mounts.find((each) =>
        version === 2
          ? each.version === 2 && names[0] === ""
          : each.version === 1 && names.some((name) => name !== "" && each.options.includes(name)),
      );
      const place = mount && placeIn(mount, path);
      if (place === undefined) continue;
      const { folder } = place;
      const controllers = [...missing].filter((each) =>
        version === 2 ? hasController(folder, each) : names.includes(each),
      );
      for (const each of controllers) missing.delete(each);
      if (controllers.length > 0) places.push({ ...place, controllers });
    }
  return places;
}

/** A file of a group, or any other of the kernel's; empty when it is not there. */
export function readGroup(...path: readonly string[]): string {
  try {
    return readFileSync(join(...path), "utf8");
  } catch {
    return "";
  }
}

export const writeGroup = (text: string, ...path: readonly string[]) => writeFileSync(join(...path), text);
