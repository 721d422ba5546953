import * as v from "valibot";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

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
    const { created, bytes } = await can.write.text(path, content);
    return `${created ? "Created" : "Replaced"} ${shown(path)} (${sizeText(bytes)}).`;
  },
});
