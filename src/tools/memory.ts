import * as v from "valibot";
import { AppError } from "../errors.ts";
import type { CanNotes } from "../sandbox/capabilities.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostListed = 200;
const longestKey = 200;
const longestNote = 65_536;
const previewLength = 80;

function required(value: string | undefined, name: string, action: string): string {
  if (value !== undefined && value !== "") return value;
  throw new AppError("bad_request", `Cannot ${action}: the parameter ${name} is missing.`);
}

async function listNotes(notes: CanNotes): Promise<string> {
  const found = await notes.list(mostListed + 1);
  if (found.length === 0) return "There are no notes.";
  const lines = found.slice(0, mostListed).map(({ key, content }) => {
    const line = content.replaceAll(/\s+/g, " ").trim();
    return `${shown(key)}: ${line.length > previewLength ? `${line.slice(0, previewLength)}…` : line}`;
  });
  if (found.length > mostListed) lines.push(`[There are more than ${mostListed} notes: use memory_search.]`);
  return lines.join("\n");
}

export const memory = defineTool({
  name: "memory",
  description: "Keep notes for later conversations: write, read, list or delete them by key.",
  needs: ["notes"],
  // Our own notes never ask: they change nothing but what this tool itself tells later.
  effect: () => "reads",
  input: v.object({
    action: v.pipe(v.picklist(["read", "write", "list", "delete"]), v.description("What to do.")),
    key: v.optional(
      v.pipe(v.string(), v.maxLength(longestKey), v.description("Name of the note; for all but list.")),
    ),
    content: v.optional(
      v.pipe(v.string(), v.maxLength(longestNote), v.description("Text of the note; for write.")),
    ),
  }),
  async run({ action, key, content }, can) {
    if (action === "list") return listNotes(can.notes);
    const name = required(key, "key", action);
    if (action === "write") {
      await can.notes.put(name, required(content, "content", action));
      return `Saved note: ${name}`;
    }
    if (action === "delete") {
      return (await can.notes.remove(name)) ? `Deleted note: ${name}` : `No note found for key: ${name}`;
    }
    return (await can.notes.get(name))?.content ?? `No note found for key: ${name}`;
  },
});
