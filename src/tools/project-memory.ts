import * as v from "valibot";
import { AppError } from "../errors.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostListed = 200;

function needed(value: string | undefined, name: string, action: string): string {
  if (value !== undefined && value !== "") return value;
  throw new AppError("bad_request", `Cannot ${action}: the parameter ${name} is missing.`);
}

export const projectMemory = defineTool({
  name: "project_memory",
  description:
    "Notes of the project that everyone who works on it shares: save, load, list or delete them by key.",
  needs: ["project"],
  // Our own notes never ask: they change nothing but what this tool itself tells later.
  effect: () => "reads",
  input: v.object({
    action: v.pipe(v.picklist(["save", "load", "list", "delete"]), v.description("What to do.")),
    key: v.optional(
      v.pipe(v.string(), v.maxLength(200), v.description("Name of the note; for all but list.")),
    ),
    content: v.optional(
      v.pipe(v.string(), v.maxLength(65_536), v.description("Text of the note; for save.")),
    ),
  }),
  async run({ action, key, content }, can) {
    if (action === "list") {
      const found = await can.project.list(mostListed + 1);
      if (found.length === 0) return "The project has no notes.";
      const more = found.length > mostListed ? [`[There are more than ${mostListed} notes.]`] : [];
      return [...found.slice(0, mostListed).map((note) => shown(note.key)), ...more].join("\n");
    }
    const name = needed(key, "key", action);
    if (action === "save") {
      await can.project.put(name, needed(content, "content", action));
      return `Saved note: ${name}`;
    }
    if (action === "delete")
      return (await can.project.remove(name)) ? `Deleted note: ${name}` : `No note found for key: ${name}`;
    return (await can.project.get(name))?.content ?? `No note found for key: ${name}`;
  },
});
