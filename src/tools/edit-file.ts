import * as v from "valibot";
import { AppError } from "../errors.ts";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostCounted = 100;

/** How often `part` stands in `text` (places that overlap count each, up to a bound), and where it is first. */
function find(part: string, text: string): { first: number; times: number } {
  const first = text.indexOf(part);
  let times = 0;
  for (let at = first; at >= 0 && times < mostCounted; at = text.indexOf(part, at + 1)) times += 1;
  return { first, times };
}

/** Whether all line ends are those of Windows: then a text with plain ones is meant by its lines. */
const isWindows = (text: string) => text.includes("\r\n") && !/(^|[^\r])\n/.test(text);

/** Replaces the one place where `old` stands; the line ends of the file are kept. */
function replaceOnce(text: string, old: string, fresh: string, path: string): string {
  const windows = !old.includes("\r") && isWindows(text);
  const [from, to] = windows
    ? [old.replaceAll("\n", "\r\n"), fresh.replaceAll(/\r?\n/g, "\r\n")]
    : [old, fresh];
  const { first, times } = find(from, text);
  if (times === 1) return text.slice(0, first) + to + text.slice(first + from.length);
  const often = times === mostCounted ? `at least ${times}` : `${times}`;
  const why =
    times === 0
      ? "old_text does not stand in it. It must match exactly, blanks and line breaks included: read the file again"
      : `old_text stands in it ${often} times, so it is not clear which is meant: give more of the text around it`;
  throw new AppError("bad_request", `Cannot edit ${path}: ${why}.`);
}

export const editFile = defineTool({
  name: "edit_file",
  description: "Replace one exact piece of a text file. `old_text` must stand in the file exactly once.",
  needs: ["write"],
  effect: () => "changes",
  pattern: ({ path }) => path,
  input: v.object({
    path: v.pipe(v.string(), v.nonEmpty(), v.description("Path in the workspace, or an absolute one.")),
    old_text: v.pipe(v.string(), v.nonEmpty(), v.description("The text to replace, exactly as it stands.")),
    new_text: v.pipe(v.string(), v.description("The text to put there; empty deletes the old one.")),
  }),
  async run({ path, old_text, new_text }, can) {
    if (old_text === new_text)
      throw new AppError("bad_request", "old_text and new_text are the same: there is nothing to change.");
    const { bytes } = await can.write.edit(path, (text) =>
      replaceOnce(text, old_text, new_text, shown(path)),
    );
    return `Replaced one piece of ${shown(path)} (now ${sizeText(bytes)}).`;
  },
});
