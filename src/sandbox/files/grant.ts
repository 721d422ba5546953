import { AppError } from "../../errors.ts";
import type { Links, OpenBeneath } from "../../linux/open-beneath.ts";
import { inspect, type Opened } from "./opened.ts";
import { resolvePath, shown } from "../paths.ts";
import { findRoot, type Root } from "./roots.ts";

/** What one kind of access to files is made of. */
export interface Grant {
  readonly act: "read" | "write";
  readonly roots: readonly Root[];
  readonly workspace: string | undefined;
  /** Real paths of folders that are never opened, whatever the roots hold. */
  readonly never: readonly string[];
  readonly openBeneath: OpenBeneath;
  /** Devices that this call has found to be no file system of the kernel. */
  readonly fine?: Set<number>;
}

/** Where a model's path lies: in a root, at `inside` (`.` for the root itself); `name` is the path for sentences. */
export interface Place {
  readonly root: Root;
  readonly inside: string;
  readonly name: string;
}

/** Throws `forbidden` for a path outside the roots and `bad_request` for what is no path. */
export function findPlace(grant: Grant, path: string): Place {
  const found = findRoot(grant.roots, resolvePath(path, grant.workspace));
  const name = shown(path);
  if (found !== undefined) return { ...found, name };
  const folders = grant.roots.map((root) => root.path).join(", ");
  throw new AppError(
    "forbidden",
    `Cannot ${grant.act} ${name}: it lies outside the folders that are granted for that (${folders}). Use a path inside them.`,
  );
}

/** Opens (without reading) what lies beneath an opened folder, and looks at it. */
export async function openBelow(
  grant: Grant,
  folder: { readonly fd: number },
  inside: string,
  links: Links,
  name: string,
): Promise<Opened> {
  return inspect(await grant.openBeneath(folder.fd, inside, links), name, grant.never, grant.fine);
}
