import { AppError } from "../../errors.ts";
import type { GitArguments } from "./git-arguments.ts";
import { operandsOf } from "./git-options.ts";
import type { GitPlaces } from "./git-places.ts";
import { shown } from "../paths.ts";

const stashActions: readonly string[] = ["list", "show", "push", "pop", "apply", "drop", "branch", "clear"];

const fault = (subcommand: string, why: string) =>
  new AppError("bad_request", `Cannot run git ${subcommand}: ${why}.`);

/** The words after the options, each looked at as what git takes it for. */
export function operandWords(call: GitArguments, cwd: string, places: GitPlaces): readonly string[] {
  const { subcommand, operands, paths } = call;
  const kind = operandsOf(subcommand);
  const checkPath = (path: string) => {
    if (path.startsWith("/") || path.split("/").includes("..")) places.requireInside(path, cwd);
  };
  if (kind === "remote" || kind === "clone") {
    if (paths !== undefined && paths.length > 0) throw fault(subcommand, "it takes no paths");
    return operands;
  }
  for (const path of [...operands, ...(paths ?? [])]) checkPath(path);
  const [action = "push", ...rest] = operands;
  if (kind === "stash" && !stashActions.includes(action)) {
    throw fault(subcommand, `${shown(action)} is no action of it; these are: ${stashActions.join(", ")}`);
  }
  return [...(kind === "stash" ? rest : operands), ...(paths === undefined ? [] : ["--", ...paths])];
}

/** `https://host/group/name.git` is cloned to `name`. */
export function cloneWords(
  { operands }: GitArguments,
  cwd: string,
  places: GitPlaces,
): { words: readonly string[]; target: string } {
  const [address, folder, ...rest] = operands;
  if (address === undefined || rest.length > 0)
    throw fault("clone", "it takes an address, and a folder to clone to");
  const name =
    address
      .replace(/[/\s]+$/, "")
      .replace(/\.git$/, "")
      .split(/[/:]/)
      .at(-1) ?? "";
  if (folder === undefined && !/^[\w.-]+$/.test(name)) throw fault("clone", "name the folder to clone to");
  const target = places.fresh(folder ?? name, cwd);
  return { words: [address, target], target };
}
