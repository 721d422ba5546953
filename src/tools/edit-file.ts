import * as v from "valibot";
import { AppError } from "../errors.ts";
import { sizeText } from "../sandbox/files/file-kind.ts";
import { asMeant } from "../sandbox/harmless.ts";
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

/** Whether all line ends are those of Windows. */
const isWindows = (text: string) => text.includes("\r\n") && !/(^|[^\r])\n/.test(text);

/** Where in the text a place is that was found in it with plain line ends. */
function placeIn(text: string, plainAt: number): number {
  let at = plainAt;
  for (let end = text.indexOf("\r\n"); end >= 0 && end < at; end = text.indexOf("\r\n", end + 2)) at += 1;
  return at;
}

/** Replaces the one place where `old` stands; a text with plain line ends is meant by its lines, and gets those of the file. */
function replaceOnce(text: string, old: string, fresh: string, path: string): string {
  const plain = old.includes("\r") ? text : text.replaceAll("\r\n", "\n");
  // What does not stand there as it was given may stand there as it was before it was shown.
  const meant = asMeant(plain.includes(old) ? plain : undefined);
  const { first, times } = find(meant(old), plain);
  if (times === 1) {
    const last = first + meant(old).length;
    if (plain === text) return text.slice(0, first) + meant(fresh) + text.slice(last);
    const [from, to] = [placeIn(text, first), placeIn(text, last)];
    const ends = text.slice(from, to).match(/\r?\n/g) ?? [isWindows(text) ? "\r\n" : "\n"];
    let line = 0;
    const lines = meant(fresh).replaceAll(/(?<!\r)\n/g, () => ends[line++] ?? ends.at(-1) ?? "\n");
    return text.slice(0, from) + lines + text.slice(to);
  }
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
