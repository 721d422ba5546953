import * as v from "valibot";
import { defineTool } from "../sandbox/tool.ts";

const mostResults = 20;

export const webSearch = defineTool({
  name: "web_search",
  description: "Search the web: titles, addresses and snippets. Read a page with web_fetch.",
  needs: ["search"],
  effect: () => "reads",
  input: v.object({
    query: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(1000), v.description("What to look for.")),
    max_results: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(mostResults),
        v.description("Most results; 8 when left out."),
      ),
      8,
    ),
  }),
  async run({ query, max_results }, can) {
    const hits = await can.search.search(query, max_results);
    if (hits.length === 0) return `Nothing was found for: ${query}`;
    return hits
      .map(({ title, url, snippet }, at) =>
        `${at + 1}. ${title || "(no title)"}\n   ${url}\n   ${snippet}`.trimEnd(),
      )
      .join("\n\n");
  },
});
