import { dirname, join, normalize } from "node:path";

/** Path in `src/` to its text. */
export type Sources = ReadonlyMap<string, string>;

/** Each part of the house, in the order of the table, with the parts that it may import. */
export type Plan = ReadonlyMap<string, readonly string[]>;

/** Parts that everybody may import, and those that may import the settings. */
const forAll = ["errors.ts", "telemetry"];
const mayReadSettings = ["cli", "assemble.ts", "assemble", "doctor"];

/** Reads the table of `src/README.md`. */
export function readPlan(markdown: string): Plan {
  const rows = [...markdown.matchAll(/^\| `([\w.-]+?)\/?` +\|.*\| ([^|]+?) +\|$/gm)].map(
    ([, part = "", may = ""]) => ({ part, may }),
  );
  return new Map(
    rows.map(({ part, may }, at) => {
      const below = rows.slice(at + 1).map((row) => row.part);
      const named = [...may.matchAll(/`([\w.-]+)`/g)].map(([, name = ""]) => name);
      return [part, may === "anything below" ? below : named];
    }),
  );
}

/** The files of `src/` that a file imports, type imports and `await import()` too; what is outside is left out. */
export const importsOf = (path: string, text: string): readonly string[] =>
  [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+)["'`]/g)]
    .map(([, to = ""]) => normalize(join(dirname(path), to)))
    .filter((to) => !to.startsWith(".."));

const partOf = (path: string) => path.split("/")[0] ?? path;

/** Every import that the plan does not allow, as `from → to`, and every part that the plan lacks. */
export function breaches(sources: Sources, plan: Plan): readonly string[] {
  const strangers = [...new Set([...sources.keys()].map(partOf))].filter((part) => !plan.has(part));
  const forbidden = [...sources].flatMap(([path, text]) => {
    const from = partOf(path);
    const allowed = [from, ...(from === "config" ? ["errors.ts"] : forAll), ...(plan.get(from) ?? [])];
    return importsOf(path, text)
      .filter(
        (to) =>
          !allowed.includes(partOf(to)) ||
          (partOf(to) === "config" && from !== "config" && !mayReadSettings.includes(from)),
      )
      .map((to) => `${path} → ${to}`);
  });
  return [...strangers.map((part) => `${part} is not in the plan`), ...forbidden];
}

/** The first way from each file back to itself. */
export function cycles(sources: Sources): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: readonly string[]) => {
    if (way.includes(path)) {
      found.push([...way.slice(way.indexOf(path)), path].join(" → "));
      return;
    }
    if (done.has(path)) return;
    for (const to of importsOf(path, sources.get(path) ?? "")) walk(to, [...way, path]);
    done.add(path);
  };
  for (const path of sources.keys()) walk(path, []);
  return found;
}
