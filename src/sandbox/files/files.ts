import { type OpenBeneath, openBeneath } from "../../linux/open-beneath.ts";
import { createInTurn } from "./in-turn.ts";
import type { NarrowFiles } from "./narrow-files.ts";
import { canRead } from "./read-files.ts";
import type { Roots } from "./roots.ts";
import type { Lend } from "../sandbox.ts";
import { createSlices } from "./slices.ts";
import { canWrite } from "./write-files.ts";

export interface FileOptions {
  /** Real paths of folders that are never opened, whatever the roots hold: the data folder. */
  readonly never: readonly string[];
  /** How paths are opened beneath a root; the tests try both ways. */
  readonly openBeneath?: OpenBeneath;
  /** Tells which of many files are worth searching. */
  readonly narrowFiles?: NarrowFiles;
}

/** What may be lent to file tools: `read` when there is a read root, `write` when there is a write root. */
export function lendFiles(
  roots: Roots,
  { narrowFiles, ...options }: FileOptions,
): Pick<Lend, "read" | "write"> {
  const parts = { workspace: roots.workspace, openBeneath, ...options };
  const inTurn = createInTurn();
  const readParts = { nextSlice: createSlices(), narrowFiles };
  return {
    ...(roots.read.length > 0 && {
      read: (_caller, signal) => canRead({ act: "read", roots: roots.read, ...parts }, readParts, signal),
    }),
    ...(roots.write.length > 0 && {
      write: (_caller, signal) => canWrite({ act: "write", roots: roots.write, ...parts }, inTurn, signal),
    }),
  };
}
