import * as v from "valibot";
import type { CanRead, FolderEntry } from "../sandbox/can-files.ts";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";
import { watchWalk } from "./watch-walk.ts";

const mostEntries = 1000;

const entryLine = ({ name, kind, size }: FolderEntry): string => {
  if (kind === "folder") return `${shown(name)}/`;
  if (kind === "file") return `${shown(name)} (${sizeText(size)})`;
  return `${shown(name)} (${kind === "link" ? "link" : "no regular file"})`;
};

async function listOne(read: CanRead, path: string): Promise<string> {
  const entries = await read.list(path);
  if (entries.length === 0) return "(The folder is empty.)";
  const lines = entries.slice(0, mostEntries).map(entryLine);
  const left = entries.length - lines.length;
  if (left > 0) lines.push(`[${left} more are left out.]`);
  return lines.join("\n");
}

async function listAll(read: CanRead, path: string): Promise<string> {
  const walk = watchWalk();
  const lines: string[] = [];
  let more = false;
  for await (const file of read.walk(path, walk)) {
    more = lines.length === mostEntries;
    if (more) break;
    lines.push(shown(file));
  }
  if (lines.length === 0) lines.push("(There are no files.)");
  if (more) lines.push(`[There are more than ${mostEntries} files: list a folder below.]`);
  return [...lines, ...walk.notes()].join("\n");
}

export const listFiles = defineTool({
  name: "list_files",
  description:
    "List a folder: its folders and files with their sizes, or with `recursive` every file below it.",
  needs: ["read"],
  effect: () => "reads",
  input: v.object({
    path: v.optional(
      v.pipe(v.string(), v.nonEmpty(), v.description("Folder; the workspace when left out.")),
      ".",
    ),
    recursive: v.optional(v.pipe(v.boolean(), v.description("List the paths of all files below.")), false),
  }),
  run: ({ path, recursive }, can) => (recursive ? listAll(can.read, path) : listOne(can.read, path)),
});
