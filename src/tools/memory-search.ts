import * as v from "valibot";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostFound = 50;
const shownLength = 1000;

export const memorySearch = defineTool({
  name: "memory_search",
  description: "Search the notes that were kept with memory.",
  needs: ["notes"],
  effect: () => "reads",
  input: v.object({
    query: v.pipe(v.string(), v.nonEmpty(), v.maxLength(1000), v.description("Words to look for.")),
    prefix: v.optional(
      v.pipe(v.string(), v.maxLength(200), v.description("Only notes whose key begins like this.")),
    ),
    limit: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(mostFound),
        v.description("Most notes to find; 10 when left out."),
      ),
      10,
    ),
  }),
  async run({ query, prefix, limit }, can) {
    const found = await can.notes.search(query, { limit, ...(prefix !== undefined && { prefix }) });
    if (found.length === 0) return `No notes found for: ${query}`;
    const texts = found.map(({ key, content }) => {
      const cut = content.length - shownLength;
      const more = cut > 0 ? ` [Cut here: read the note for ${cut} more characters]` : "";
      return `${shown(key)}: ${content.slice(0, shownLength)}${more}`;
    });
    return texts.join("\n\n");
  },
});
