import { chmod, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Arch, bunVersion, installBun } from "./bun/install.mjs";

/**
 * Variables that would make the executable run a stranger's script before ours, or turn it into the `bun` command.
 * Their names are overwritten, byte for byte, with names that nobody sets.
 */
const disarmed = { BUN_OPTIONS: "XUN_OPTIONX", BUN_BE_BUN: "XUN_BE_XUN" } as const;

/** Throws when one of the disarmed names is in the file: the build must not ship it. */
export async function checkDisarmed(path: string) {
  const bytes = Buffer.from(await Bun.file(path).arrayBuffer());
  const left = Object.keys(disarmed).filter((name) => bytes.includes(name));
  if (left.length > 0) throw new Error(`${path} still knows ${left.join(", ")}: see scripts/template.ts.`);
}

/** The Bun that the executable is made from, for a processor, with those names overwritten. Returns its path. */
export async function makeTemplate(arch: Arch, folder: string): Promise<string> {
  const path = join(folder, `bun-${bunVersion}-${arch}`);
  if (await Bun.file(path).exists()) return path;
  const ours = arch === process.arch && Bun.version === bunVersion;
  const bytes = Buffer.from(await Bun.file(ours ? process.execPath : installBun(arch)).arrayBuffer());
  for (const [name, instead] of Object.entries(disarmed)) overwrite(bytes, name, instead);
  await mkdir(folder, { recursive: true });
  const aside = `${path}.${process.pid}`;
  await Bun.write(aside, bytes);
  await chmod(aside, 0o755);
  await rename(aside, path);
  return path;
}

function overwrite(bytes: Buffer, name: string, instead: string) {
  let at = bytes.indexOf(name);
  if (at < 0) throw new Error(`${name} is not in Bun ${bunVersion} any more: see scripts/template.ts.`);
  for (; at >= 0; at = bytes.indexOf(name, at)) bytes.write(instead, at, "latin1");
}
