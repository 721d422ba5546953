import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanRead, FileChange } from "../sandbox/can-files.ts";
import { patchText } from "../sandbox/files/patch-text.ts";
import { asMeant } from "../sandbox/harmless.ts";
import { shown } from "../sandbox/paths.ts";
import { type FilePatch, readPatch } from "../sandbox/files/read-patch.ts";
import { defineTool } from "../sandbox/tool.ts";

const longestPatch = 1_048_576;
const largestFile = 10 * 1024 * 1024;
/** Of all files together, in characters: they are held until the last is written. */
const mostText = 32 * 1024 * 1024;

async function readText(read: CanRead, path: string): Promise<string> {
  const bytes = await read.bytes(path, largestFile);
  try {
    // The mark at the beginning is kept: what is not patched must not change.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new AppError("unsupported_media_type", `Cannot patch ${shown(path)}: it is no UTF-8 text.`, {
      cause: error,
    });
  }
}

/** What one file of the patch becomes; nothing is written yet. */
async function plan(read: CanRead, { from, to, keeps, patch }: FilePatch): Promise<readonly FileChange[]> {
  const old = from === undefined ? "" : await readText(read, from);
  const meant = asMeant(old);
  const hunks = patch.hunks.map((hunk) => ({ ...hunk, lines: hunk.lines.map(meant) }));
  const fresh = await patchText(old, { ...patch, hunks }, shown(to ?? from ?? ""));
  if (from !== undefined && to === undefined) {
    if (fresh === "") return [{ path: from, from: old, to: undefined }];
    const why = "the file has more in it than the patch takes away";
    throw new AppError("bad_request", `Cannot delete ${shown(from)}: ${why}. Nothing was changed.`);
  }
  if (to === undefined) return [];
  if (from === to) return fresh === old ? [] : [{ path: to, from: old, to: fresh }];
  const made = { path: to, from: undefined, to: fresh };
  if (from === undefined || keeps) return [made];
  return [
    { path: from, from: old, to: undefined },
    { ...made, movedFrom: from },
  ];
}

function describe({ from, to, keeps, patch }: FilePatch): string {
  const count = (sign: string) =>
    patch.hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.startsWith(sign)).length, 0);
  const lines = `+${count("+")} -${count("-")}`;
  if (from === undefined) return `Created ${shown(to ?? "")} (${lines})`;
  if (to === undefined) return `Deleted ${shown(from)}`;
  if (from === to) return `Changed ${shown(to)} (${lines})`;
  return `${keeps ? "Copied" : "Renamed"} ${shown(from)} to ${shown(to)} (${lines})`;
}

export const applyPatch = defineTool({
  name: "apply_patch",
  description:
    "Change, make, rename and delete text files by a unified diff (as of `git diff` or `diff -u`), several files at once: all of it or nothing.",
  needs: ["read", "write"],
  effect: () => "changes",
  input: v.object({
    patch: v.pipe(
      v.string(),
      v.nonEmpty(),
      v.maxLength(longestPatch),
      v.description(
        "The unified diff. Each file begins with `--- a/path` and `+++ b/path` (/dev/null for a new or deleted one); each hunk with `@@ -line,count +line,count @@` and some lines of context.",
      ),
    ),
  }),
  async run({ patch }, can) {
    const files = await readPatch(patch);
    const changes: FileChange[] = [];
    let size = 0;
    for (const file of files) {
      for (const change of await plan(can.read, file)) {
        size += (change.from?.length ?? 0) + (change.to?.length ?? 0);
        if (size > mostText)
          throw new AppError("payload_too_large", "Cannot apply the patch: its files are too big together.");
        changes.push(change);
      }
    }
    if (changes.length === 0) return "The patch changes nothing: the files are as it wants them.";
    await can.write.all(changes);
    const modes = files.some(
      ({ patch: { oldMode, newMode } }) => newMode === "100755" || (oldMode && newMode),
    );
    return [...files.map(describe), ...(modes ? ["[Rights of files are left as they are.]"] : [])].join("\n");
  },
});
