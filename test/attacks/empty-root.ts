import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageRoot, layOut } from "../../scripts/image/root.ts";
import { executable, temporaryFolder } from "../helpers/executable.ts";
import { attacker } from "./place.ts";

/** As a container runtime does it: /proc and three devices, and then the user who owns nothing but his folders. */
const enter = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
for name in null zero urandom; do mount --bind "/dev/$name" "$1/dev/$name"; done
root=$1
shift 2
exec /usr/sbin/chroot --userspec=${attacker}:${attacker} "$root" /openclaw "$@"`;

/** A root folder with the executable and what it needs, and nothing else: no shell, no bubblewrap, no git. */
export async function anEmptyRoot() {
  const folder = await temporaryFolder();
  const arch = process.arch === "arm64" ? "arm64" : "x64";
  await layOut(await imageRoot({ arch, executable: await executable() }), folder.path);
  for (const name of ["proc", "dev", "etc"]) mkdirSync(join(folder.path, name), { recursive: true });
  for (const name of ["null", "zero", "urandom"]) writeFileSync(join(folder.path, "dev", name), "");
  writeFileSync(
    join(folder.path, "etc/hosts"),
    "127.0.0.1 localhost rebind.example\n93.184.215.14 mixed.example\n127.0.0.1 mixed.example\n",
  );
  writeFileSync(join(folder.path, "etc/nsswitch.conf"), "hosts: files\n");
  Bun.spawnSync(["chmod", "755", folder.path]);
  return {
    path: folder.path,
    /** Words before the path of the executable, which is the one of that root then. */
    wrapper: ["unshare", "--mount", "/bin/sh", "-c", enter, "sh", folder.path],
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
