import type { BunPlugin } from "bun";

/**
 * We send requests by the `openai` package's own core and name their paths ourselves, so the two hundred kinds of
 * resources that it knows, most of its code, are left out: each of their classes is there, and empty.
 */
export const openaiFixUps: BunPlugin = {
  name: "openai-fix-ups",
  setup(build) {
    build.onLoad({ filter: /\/node_modules\/openai\/resources\/.*\.m?js$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      // A list of other files, whose names only they know.
      if (text.includes("export * from")) return { contents: text, loader: "js" };
      const { exports } = new Bun.Transpiler({ loader: "js" }).scan(text);
      return { contents: exports.map((name) => `export class ${name} {}`).join("\n"), loader: "js" };
    });
  },
};
