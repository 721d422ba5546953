import type { StructuredPatch } from "diff";
import { AppError } from "../../errors.ts";
import { shown } from "../paths.ts";

/** What a patch does to one file; `from` and `to` differ when it is moved, and the absent one is made or deleted. */
export interface FilePatch {
  readonly from?: string;
  readonly to?: string;
  /** True when `from` stays: a copy. */
  readonly keeps: boolean;
  readonly patch: StructuredPatch;
}

const longestHeader = 8192;
const nowhere = "/dev/null";

const refuse = (why: string) =>
  new AppError("bad_request", `Cannot apply the patch: ${why}. Nothing was changed.`);

/** Names without the `a/` and `b/` that git puts before them. */
function namesOf({ oldFileName, newFileName }: StructuredPatch): readonly [string, string] {
  if (!oldFileName || !newFileName) {
    throw refuse("it has changes that name no file; begin each file with its `--- a/…` and `+++ b/…` lines");
  }
  const marked = (name: string, mark: string) => name === nowhere || name.startsWith(mark);
  const bare = (name: string) => (name === nowhere ? name : name.slice(2));
  if (!marked(oldFileName, "a/") || !marked(newFileName, "b/")) return [oldFileName, newFileName];
  return [bare(oldFileName), bare(newFileName)];
}

function readFile(patch: StructuredPatch): FilePatch {
  const [from, to] = namesOf(patch);
  const mode = [patch.oldMode, patch.newMode].find((mode) => mode === "120000" || mode === "160000");
  if (mode !== undefined)
    throw refuse(`${shown(to)} is a link or a submodule in it; only files can be patched`);
  if (from === nowhere && to === nowhere) throw refuse("it names /dev/null on both sides of a file");
  const moved = patch.isRename === true || patch.isCopy === true;
  if (moved) return { from, to, keeps: patch.isCopy === true, patch };
  if (to === nowhere || patch.isDelete) return { from, keeps: false, patch };
  if (from === nowhere || patch.isCreate) return { to, keeps: false, patch };
  // `--- file.orig`, `+++ file`: the second is the file.
  return { from: to, to, keeps: false, patch };
}

/** Reads a unified diff of one or more files, of git or not. Throws `bad_request` for what is none, and for binary ones. */
export async function readPatch(text: string): Promise<readonly FilePatch[]> {
  if (/^(?:GIT binary patch|Binary files .* differ)\r?$/m.test(text)) {
    throw refuse("it changes binary files, which a text cannot");
  }
  const header = new RegExp(`^(?:diff|Index|---|\\+\\+\\+|@@|rename|copy)[^\\n]{${longestHeader}}`, "m");
  if (header.test(text)) throw refuse("a header line in it is too long");
  const { parsePatch } = await import("diff");
  let parsed: StructuredPatch[];
  try {
    parsed = parsePatch(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : "it is broken";
    throw refuse(`it is no well-formed unified diff (${why}); count the lines of each hunk again`);
  }
  const files = parsed.filter(({ hunks, isGit }) => hunks.length > 0 || isGit).map(readFile);
  if (files.length === 0) {
    throw refuse(
      "there is no unified diff in it; it needs `--- a/file`, `+++ b/file` and `@@ -1,2 +1,2 @@` lines",
    );
  }
  return files;
}
