import { isBuiltin } from "node:module";
import { join } from "node:path";
import * as v from "valibot";

/** A package whose code is in the executable. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As npm writes it: `sha512-` and base64. */
  readonly integrity: string;
  /** Its folder in node_modules. */
  readonly folder: string;
}

const Names = v.optional(v.record(v.string(), v.string()), {});
const Entry = v.tuple([
  v.string(),
  v.string(),
  // Nothing optional is bundled: see `allowUnresolved` and the fix-ups of the build.
  v.object({ dependencies: Names }),
  v.string(),
]);
const Lock = v.object({ packages: v.record(v.string(), Entry) });
type Locked = v.InferOutput<typeof Entry>;

/**
 * The packages that the sources import, with all that those need, by name. The bundler may have kept less of them, never
 * more. `root` is the folder of the project.
 */
export async function bundledPackages(root: string): Promise<readonly BundledPackage[]> {
  const { packages } = v.parse(Lock, Bun.JSONC.parse(await Bun.file(join(root, "bun.lock")).text()));
  const found = new Map<string, Locked>();
  const add = (path: string) => {
    const entry = packages[path];
    if (!entry) throw new Error(`bun.lock has no ${path}, which the sources import.`);
    if (found.has(path)) return;
    found.set(path, entry);
    for (const name of Object.keys(entry[2].dependencies)) {
      const place = placesOf(path, name).find((each) => each in packages);
      if (place === undefined) throw new Error(`bun.lock has no ${name}, which ${path} needs.`);
      add(place);
    }
  };
  for (const name of await importedBy(join(root, "src"))) add(name);
  // What lies in several places is one package.
  const once = new Map([...found].map(([path, entry]) => [entry[0], describe(root, path, entry)]));
  return [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

const nameOf = (specifier: string) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

/** The packages that the TypeScript below a folder imports; what is imported as types alone is not in the result. */
async function importedBy(folder: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const path of new Bun.Glob("**/*.{ts,tsx}").scan(folder)) {
    const transpiler = new Bun.Transpiler({ loader: path.endsWith("x") ? "tsx" : "ts" });
    const text = await Bun.file(join(folder, path)).text();
    for (const { path: specifier } of transpiler.scanImports(text))
      // For JSX it names React, whatever tsconfig.json says.
      if (!/^(\.|react(\/|$))/.test(specifier) && !isBuiltin(specifier)) names.add(nameOf(specifier));
  }
  return names;
}

/** Where the package that `path` means by a name may lie: below itself, below its parents, at the top. */
function placesOf(path: string, name: string): readonly string[] {
  const names = path.match(/(?:@[^/]+\/)?[^/]+/g) ?? [];
  return [...names.keys(), names.length].reverse().map((depth) => [...names.slice(0, depth), name].join("/"));
}

function describe(root: string, path: string, [pinned, , , integrity]: Locked): BundledPackage {
  const at = pinned.lastIndexOf("@");
  const folders = path.match(/(?:@[^/]+\/)?[^/]+/g) ?? [];
  return {
    name: pinned.slice(0, at),
    version: pinned.slice(at + 1),
    integrity,
    folder: join(root, ...folders.flatMap((name) => ["node_modules", name])),
  };
}
