import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanWrite } from "../sandbox/can-files.ts";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { asMeant } from "../sandbox/harmless.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

/** Writes what a model means that was shown some signs as others: what the file has now tells. */
async function writeMeant(write: CanWrite, path: string, content: string) {
  if (asMeant()(content) === content) return write.text(path, content);
  try {
    const { bytes } = await write.edit(path, (current) => asMeant(current)(content));
    return { created: false, bytes };
  } catch (error) {
    // There is no text that could tell; whatever else is in the way is said by the next line.
    if (!(error instanceof AppError)) throw error;
    return write.text(path, asMeant("")(content));
  }
}

export const writeFile = defineTool({
  name: "write_file",
  description: "Write a text file: makes it, and missing folders, or replaces all that it holds.",
  needs: ["write"],
  effect: () => "changes",
  pattern: ({ path }) => path,
  input: v.object({
    path: v.pipe(v.string(), v.nonEmpty(), v.description("Path in the workspace, or an absolute one.")),
    content: v.pipe(v.string(), v.description("The whole new text.")),
  }),
  async run({ path, content }, can) {
    const { created, bytes } = await writeMeant(can.write, path, content);
    return `${created ? "Created" : "Replaced"} ${shown(path)} (${sizeText(bytes)}).`;
  },
});
