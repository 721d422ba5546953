import { basename } from "node:path";
import type { BunPlugin } from "bun";

/** A text that is replaced. It must be found exactly so often: a newer version that moved it fails the build. */
interface FixUp {
  readonly from: RegExp;
  readonly to: string;
  readonly times: number;
}

const absent = (what: string) => `(() => { throw new Error("${what} is not in this build") })()`;

/**
 * What playwright-core would look up when it runs, in the folder that the executable is started in: two requires are on
 * the way of every start and are bundled, the others belong to tools that nobody here calls, or to optional packages.
 */
const fixUps: Readonly<Record<string, readonly FixUp[]>> = {
  "coreBundle.js": [
    {
      from: /\brequire\(import_path\d+\.default\.join\(packageRoot, "(package|browsers)\.json"\)\)/g,
      to: 'require("../$1.json")',
      times: 2,
    },
    {
      from: /\brequire\(import_path\d+\.default\.join\((?:linkTarget|browser\.referenceDir), "(\w+\.json)"\)\)/g,
      to: absent("$1 of another installation"),
      times: 2,
    },
    {
      from: /\brequire\((?:initPage|descriptor\.playwrightLib|libPath\([^)]*\))\)/g,
      to: absent("This tool of playwright-core"),
      times: 3,
    },
    { from: /\brequire\.resolve\(pkg\)/g, to: absent("The installer of playwright-core"), times: 1 },
    { from: /\brequire\("((?:chromium-bidi|electron)\/[\w./-]+)"\)/g, to: absent("$1"), times: 3 },
    { from: /new Function\('return import\("vite"\)'\)/g, to: `() => ${absent("vite")}`, times: 1 },
  ],
  "utilsBundle.js": [
    { from: /\brequire\("(bufferutil|utf-8-validate)"\)/g, to: absent("$1"), times: 2 },
    { from: /\bimport\("kerberos"\)/g, to: absent("kerberos"), times: 1 },
  ],
};

/** A file of playwright-core as it fits into one executable. Throws when a fix-up no longer applies. */
export function fixUp(file: string, source: string): string {
  return (fixUps[file] ?? []).reduce((text, { from, to, times }) => {
    const found = text.match(from)?.length ?? 0;
    if (found === times) return text.replace(from, to);
    throw new Error(`The fix-up ${from} of ${file} applies ${found} times and not ${times}: adapt it.`);
  }, source);
}

export const playwrightFixUps: BunPlugin = {
  name: "playwright-fix-ups",
  setup(build) {
    build.onLoad({ filter: /\/playwright-core\/lib\/(coreBundle|utilsBundle)\.js$/ }, async ({ path }) => ({
      contents: fixUp(basename(path), await Bun.file(path).text()),
      loader: "js",
    }));
  },
};
