import { AppError } from "../../errors.ts";
import type { GitArguments } from "./git-arguments.ts";
import { readGitAddress } from "./git-remotes.ts";
import { remoteAddresses, type Surroundings } from "./git-repository.ts";
import type { RunGit } from "./run-git.ts";

/** What a call may fetch by, and the folders among where it fetches from. */
export interface Ways {
  readonly protocols: readonly string[];
  readonly folders: readonly string[];
}

/** Where a call may reach. Throws `forbidden` for an address that is not granted, asked for or configured. */
export async function waysOf(
  call: GitArguments,
  run: RunGit,
  cwd: string,
  { places, ceilings, allowHttp }: Surroundings & { readonly allowHttp: boolean },
): Promise<Ways> {
  const folders: string[] = [];
  const check = (address: string, names: ReadonlySet<string>) => {
    if (address === "." || names.has(address)) return;
    const read = readGitAddress(address, allowHttp);
    if (read.kind === "web") return;
    if (call.subcommand === "push") {
      const why = "hooks of that repository would run; push to an https:// address";
      throw new AppError("forbidden", `Cannot push to a folder: ${why}.`);
    }
    folders.push(places.existing(read.kind === "local" ? read.path : read.name, cwd));
  };
  const [asked] = call.operands;
  if (call.subcommand === "clone") check(asked ?? "", new Set());
  else {
    const remotes = await remoteAddresses(run, cwd, ceilings);
    const names = new Set([...remotes.keys()].filter((name) => name !== ""));
    if (asked !== undefined) check(asked, names);
    // What is not asked for by name may be any of them.
    const meant =
      asked !== undefined && names.has(asked) ? [remotes.get(asked) ?? []] : [...remotes.values()];
    if (asked === undefined || names.has(asked)) for (const address of meant.flat()) check(address, names);
  }
  const web = allowHttp ? ["https", "http"] : ["https"];
  return { protocols: folders.length > 0 ? [...web, "file"] : web, folders };
}
