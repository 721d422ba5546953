import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";

/** Keys of a repository's configuration that let it run programs of its choice, or lead elsewhere. */
const dangerous: readonly RegExp[] = [
  /^include\.path$/,
  /^includeif\./,
  /^core\.(?:alternaterefscommand|gitproxy|virtualfilesystem)$/,
  /^diff\.external$/,
  /^diff\..*\.(?:command|textconv)$/,
  /^merge\..*\.driver$/,
  /^branch\..*\.mergeoptions$/,
  /^interactive\.difffilter$/,
  /^trailer\..*\.(?:command|cmd)$/,
  /^hook\./,
  /^gc\.recentobjectshook$/,
  /^uploadpack\.packobjectshook$/,
  /^remote\..*\.(?:uploadpack|receivepack|vcs|proxy|proxyauthmethod|serveroption)$/,
  /^url\./,
  /^(?:fetch|transfer)\.bundleuri$/,
  /^submodule\..*\.update$/,
  // Git runs `git merge-NAME` for a strategy of that name.
  /^alias\.merge-/i,
];

/** Of http only these are taken: others choose proxies, addresses and files. */
const harmlessHttp =
  /^http\.(?:.*\.)?(?:postbuffer|version|lowspeedlimit|lowspeedtime|extraheader|useragent|maxrequests)$/;

/** What every call is told, stronger than what a repository's own configuration says. */
const always = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.sshCommand": "false",
  "core.askPass": "",
  "core.editor": ":",
  "core.pager": "cat",
  "core.excludesFile": "/dev/null",
  "core.attributesFile": "/dev/null",
  "credential.helper": "",
  "protocol.ext.allow": "never",
  "commit.gpgSign": "false",
  "commit.template": "/dev/null",
  "tag.gpgSign": "false",
  "push.gpgSign": "false",
  "log.showSignature": "false",
  "merge.verifySignatures": "false",
  "gpg.program": "false",
  "gpg.openpgp.program": "false",
  "gpg.x509.program": "false",
  "gpg.ssh.program": "false",
  "gpg.ssh.defaultKeyCommand": "",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  "push.recurseSubmodules": "no",
  "diff.ignoreSubmodules": "dirty",
  // What these show is told by a git in the submodule, by its configuration.
  "diff.submodule": "short",
  "status.submoduleSummary": "false",
  // Its lines become steps of the rebase.
  "rebase.instructionFormat": "%s",
  "color.ui": "false",
  "advice.detachedHead": "false",
  // The folder was checked to be a granted one; whose it is does not matter more than that.
  "safe.directory": "*",
} as const;

/** The clean part of git's environment, that holds whatever a repository says. */
const cleanEnvironment = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "",
  GIT_PAGER: "cat",
  GIT_EDITOR: ":",
  GIT_SEQUENCE_EDITOR: ":",
  GIT_MERGE_AUTOEDIT: "no",
  GIT_NO_LAZY_FETCH: "1",
  GIT_HTTP_PROXY_AUTHMETHOD: "basic",
  LC_ALL: "C.UTF-8",
} as const;

export interface GitEnvironment {
  /** Names of keys that the repository sets, and of those in `.gitmodules` that need an answer. */
  readonly names: readonly string[];
  /** Folders above which no repository is looked for. */
  readonly ceilings: readonly string[];
  /** `https`, `http`, `file`; none: nothing is fetched. */
  readonly protocols: readonly string[];
  readonly locks: boolean;
  readonly proxyUrl?: string;
}

/** Throws `forbidden`, naming the key, for a repository that would run programs of its own choice. */
export function requireHarmless(names: readonly string[], network: boolean) {
  const bad = names.find(
    (name) =>
      dangerous.some((pattern) => pattern.test(name)) ||
      (network && name.startsWith("http.") && !harmlessHttp.test(name)) ||
      // Such a name could stand for two keys.
      /[\s=\p{Cc}]/u.test(name),
  );
  if (bad === undefined) return;
  const why = "it lets the repository run programs or lead elsewhere; remove it from .git/config";
  throw new AppError("forbidden", `Cannot run git here: the repository sets ${shown(bad)}: ${why}.`);
}

/** What a repository's own names call for: its filters off, and somebody to commit as. */
function overrides(names: readonly string[]): Readonly<Record<string, string>> {
  const filters = names.flatMap((name) => {
    const driver = /^(filter\..*)\.(?:clean|smudge|process|required)$/.exec(name)?.[1];
    if (driver === undefined) return [];
    return [`${driver}.clean=`, `${driver}.smudge=`, `${driver}.process=`, `${driver}.required=false`];
  });
  const submodules = names
    .filter((name) => /^submodule\..*\.ignore$/.test(name))
    .map((name) => `${name}=dirty`);
  return Object.fromEntries([
    ...[...filters, ...submodules].map(
      (line) => [line.slice(0, line.lastIndexOf("=")), line.slice(line.lastIndexOf("=") + 1)] as const,
    ),
    ...(names.includes("user.name") ? [] : [["user.name", "openclaw"] as const]),
    ...(names.includes("user.email") ? [] : [["user.email", "openclaw@localhost"] as const]),
  ]);
}

const numbered = (settings: readonly (readonly [string, string])[]): Readonly<Record<string, string>> => ({
  GIT_CONFIG_COUNT: String(settings.length),
  ...Object.fromEntries(
    settings.flatMap(([key, value], i) => [
      [`GIT_CONFIG_KEY_${i}`, key],
      [`GIT_CONFIG_VALUE_${i}`, value],
    ]),
  ),
});

/** For looking at a repository: nothing is told that could be taken for its own. */
export const lookEnvironment = (ceilings: readonly string[]): Readonly<Record<string, string>> => ({
  ...cleanEnvironment,
  GIT_CEILING_DIRECTORIES: ceilings.join(":"),
  GIT_ALLOW_PROTOCOL: "none",
  GIT_OPTIONAL_LOCKS: "0",
  ...numbered([["safe.directory", "*"]]),
});

/** Everything that git is told beside its arguments. By the environment: on the command line everyone could read it. */
export function gitEnvironment(options: GitEnvironment): Readonly<Record<string, string>> {
  const { names, ceilings, protocols, locks, proxyUrl } = options;
  return {
    ...cleanEnvironment,
    GIT_CEILING_DIRECTORIES: ceilings.join(":"),
    GIT_ALLOW_PROTOCOL: protocols.join(":") || "none",
    ...(!locks && { GIT_OPTIONAL_LOCKS: "0" }),
    ...(proxyUrl !== undefined && { http_proxy: proxyUrl, https_proxy: proxyUrl, no_proxy: "" }),
    ...numbered(Object.entries({ ...always, ...overrides(names) })),
  };
}
