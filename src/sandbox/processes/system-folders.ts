import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { pathInside } from "../paths.ts";

const folders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store"];

/**
 * What programs look up in /etc. Not the whole of it: it also holds keys and the secrets of services, this one's too,
 * which their own user may read.
 */
const ofEtc = [
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "alternatives"],
  ...[
    "passwd",
    "group",
    "nsswitch.conf",
    "hosts",
    "host.conf",
    "resolv.conf",
    "gai.conf",
    "services",
    "protocols",
  ],
  ...[
    "localtime",
    "timezone",
    "locale.alias",
    "locale.conf",
    "default/locale",
    "os-release",
    "debian_version",
  ],
  ...[
    "ssl/certs",
    "ssl/openssl.cnf",
    "ssl/cert.pem",
    "ca-certificates",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
  ],
  ...[
    "pki/ca-trust/extracted",
    "crypto-policies",
    "gitconfig",
    "gitattributes",
    "bash.bashrc",
    "inputrc",
    "profile",
  ],
  ...[
    "terminfo",
    "mime.types",
    "magic",
    "fonts",
    "chromium",
    "chromium.d",
    "vim",
    "perl",
    "pip.conf",
    "npmrc",
  ],
  ...[
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "java-17-openjdk",
    "java-21-openjdk",
    "lsb-release",
  ],
  ...["libreoffice", "ImageMagick-6", "ImageMagick-7", "papersize", "manpath.config", "nanorc", "screenrc"],
].map((name) => `/etc/${name}`);

/** Of the kernel's view: nothing about other processes. */
const ofProc = [
  ...["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version", "filesystems", "self"],
  ...["sys/kernel", "sys/vm", "sys/fs"],
].map((name) => `/proc/${name}`);

/** Devices that anybody may use. */
export const devices = ["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name}`);

function isFolder(path: string) {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `folder` without what lies in `never`: itself, or those of its entries that do not hold any of it. */
function without(folder: string, never: readonly string[]): readonly string[] {
  if (never.some((path) => pathInside(path, folder) !== undefined)) return [];
  if (!never.some((path) => pathInside(folder, path) !== undefined)) return [folder];
  return readdirSync(folder)
    .map((name) => `${folder}/${name}`)
    .flatMap((path) => (isFolder(path) ? without(path, never) : [path]));
}

const real = (path: string) => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/**
 * What every program may read and run: the system's folders that exist, without `never`. With a process namespace of its
 * own the whole of `/proc` shows nothing but its own processes.
 */
export function systemPaths(never: readonly string[], ownProcesses: boolean): readonly string[] {
  const hidden = never.map(real);
  const kept = folders.filter((path) => existsSync(path)).flatMap((path) => without(real(path), hidden));
  return [
    ...new Set([
      ...kept,
      ...ofEtc.filter((path) => existsSync(path)),
      ...(ownProcesses ? ["/proc"] : ofProc),
    ]),
  ];
}
