import { closeSync, fstatSync } from "node:fs";
import { kernel } from "./system-calls.ts";

/** What may be done below a folder, or with a file. */
export type Access = "read" | "write" | "device";

export interface LandlockRule {
  /** Of a folder or a file. What is not there is left out. */
  readonly path: string;
  /** True follows links on the way: for paths of the system, which no agent can change. */
  readonly follow?: boolean;
  readonly access: Access;
}

export interface LandlockOptions {
  readonly version: number;
  readonly rules: readonly LandlockRule[];
  /** TCP ports of any host that may be connected to; needs version 4. */
  readonly connectPorts: readonly number[];
  /** False lets it reach sockets with an abstract name, and signal processes, beyond the sandbox. */
  readonly scoped?: boolean;
  /** Done between the two steps: rules are made with the rights that this process has, and work from the second one on. */
  beforeLast(): void;
}

// From linux/landlock.h.
const right = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readFolder: 1 << 3,
  makeDevices: (1 << 6) | (1 << 11),
  truncate: 1 << 14,
  device: 1 << 15,
} as const;
const bindTcp = 1;
const connectTcp = 2;
const scopes = 3;
const [ruleBeneath, rulePort] = [1, 2];
const versionFlag = 1;
const pathOnly = 0o12000000; // O_PATH | O_CLOEXEC
const noLinks = 0x04; // RESOLVE_NO_SYMLINKS
/** Rights that a rule about a file may name. */
const ofFiles = right.execute | right.writeFile | right.readFile | right.truncate | right.device;

/** All rights over files that a version knows: 13 of the first, then renaming between folders, cutting, devices. */
const allRights = (version: number) =>
  (1 << (13 + Number(version >= 2) + Number(version >= 3) + Number(version >= 5))) - 1;

/** Landlock's version here; 0 where the kernel does not have it, or has it switched off. */
export const landlockVersion = () => Math.max(0, kernel().try("landlock_create_ruleset", 0, 0, versionFlag));

function rightsOf(access: Access, version: number): number {
  const reading = right.execute | right.readFile | right.readFolder;
  // Devices and pipes made there would be a way around: none is needed.
  if (access === "read") return reading;
  if (access === "device") return right.readFile | right.writeFile | (version >= 3 ? right.truncate : 0);
  return allRights(version) & ~right.device & ~right.makeDevices;
}

/** Opens a path without reading it; undefined when it is not there, or is not what it was: a link. */
function openPath({ path, follow }: LandlockRule): number | undefined {
  // `struct open_how`: flags, mode, resolve.
  const how = new BigUint64Array([BigInt(pathOnly), 0n, BigInt(follow ? 0 : noLinks)]);
  const file = kernel().try("openat2", -100, Buffer.from(`${path}\0`), how, how.byteLength);
  return file < 0 ? undefined : file;
}

function allow(ruleset: number, rule: LandlockRule, version: number) {
  const file = openPath(rule);
  if (file === undefined) return;
  try {
    const rights = rightsOf(rule.access, version) & (fstatSync(file).isDirectory() ? ~0 : ofFiles);
    // `struct landlock_path_beneath_attr`, packed: rights, descriptor.
    const attribute = Buffer.alloc(12);
    attribute.writeUInt32LE(rights >>> 0, 0);
    attribute.writeInt32LE(file, 8);
    kernel().call("landlock_add_rule", ruleset, ruleBeneath, attribute, 0);
  } finally {
    closeSync(file);
  }
}

/** Takes from this thread, and all that it becomes and starts, every file and port that no rule names. Needs `no_new_privs`. */
export function restrictFiles({ version, rules, connectPorts, scoped = true, beforeLast }: LandlockOptions) {
  if (version < 1) throw new Error("This kernel has no Landlock.");
  if (version < 4 && connectPorts.length > 0)
    throw new Error("This kernel's Landlock cannot limit the network to a port: it needs Linux 6.7.");
  const handled = new BigUint64Array([
    BigInt(allRights(version)),
    BigInt(version >= 4 ? bindTcp | connectTcp : 0),
    BigInt(version >= 6 && scoped ? scopes : 0),
  ]);
  // An older kernel does not take a structure that is longer than its own.
  const size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const ruleset = kernel().call("landlock_create_ruleset", handled, size, 0);
  for (const rule of rules) allow(ruleset, rule, version);
  for (const port of connectPorts)
    kernel().call(
      "landlock_add_rule",
      ruleset,
      rulePort,
      new BigUint64Array([BigInt(connectTcp), BigInt(port)]),
      0,
    );
  beforeLast();
  kernel().call("landlock_restrict_self", ruleset, 0);
  closeSync(ruleset);
}
