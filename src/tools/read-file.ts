import * as v from "valibot";
import { defineTool } from "../sandbox/tool.ts";

const pageLines = 2000;
const pageBytes = 65_536;
const longestLine = 10_000;

const cutLine = (text: string, left: number): string => {
  const cut = left + Math.max(0, text.length - longestLine);
  return cut === 0
    ? text
    : `${text.slice(0, longestLine)} [Cut here: ${cut} more characters of this line are left out]`;
};

export const readFile = defineTool({
  name: "read_file",
  description:
    "Read a text file, a page at a time, starting at line `from`. Says what a file is that is no text.",
  needs: ["read"],
  effect: () => "reads",
  input: v.object({
    path: v.pipe(v.string(), v.nonEmpty(), v.description("Path in the workspace, or an absolute one.")),
    from: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.description("First line to read; 1 when left out.")),
      1,
    ),
    max_lines: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(pageLines),
        v.description(`Most lines to read; ${pageLines} when left out.`),
      ),
      pageLines,
    ),
  }),
  async run({ path, from, max_lines }, can) {
    const page: string[] = [];
    let bytes = 0;
    let last = 0;
    let next: number | undefined;
    await can.read.lines(path, (text, number, left) => {
      last = number;
      if (number < from) return true;
      const line = cutLine(text, left);
      bytes += Buffer.byteLength(line) + 1;
      if (page.length === max_lines || (page.length > 0 && bytes > pageBytes)) {
        next = number;
        return false;
      }
      page.push(line);
      return true;
    });
    if (last === 0) return "(The file is empty.)";
    if (page.length === 0) return `(There is no line ${from}: the file has ${last} lines.)`;
    const more = next === undefined ? "" : `\n[There is more: call again with from=${next}]`;
    return page.join("\n") + more;
  },
});
