import { basename } from "node:path";
import type { BunPlugin } from "bun";

const absent = (what: string) => `(() => { throw new Error("${what} is not in this build") })()`;

/**
 * What pdfjs would look up when it runs, in the folder that the executable is started in: a canvas that we do not draw
 * on, a worker file that we hand over ourselves, and decoders of pictures, which reading text does without.
 */
const fixUps: Readonly<Record<string, readonly { from: RegExp; to: string; times: number }[]>> = {
  "pdf.mjs": [
    { from: /\brequire\("@napi-rs\/canvas"\)/g, to: "undefined", times: 2 },
    {
      from: /\bawait import\(\s*\/\*webpackIgnore: true\*\/\s*\/\*@vite-ignore\*\/\s*this\.workerSrc\)/g,
      to: absent("Another worker"),
      times: 1,
    },
  ],
  "pdf.worker.mjs": [
    {
      from: /\bawait import\(\s*\/\*webpackIgnore: true\*\/\s*\/\*@vite-ignore\*\/\s*`\$\{WasmImage\.#wasmUrl\}\$\{this\._noWasmFilename\}`\)/g,
      to: absent("A decoder of pictures"),
      times: 1,
    },
  ],
};

/** A file of pdfjs as it fits into one executable. Throws when a fix-up no longer applies. */
export function pdfFixUp(file: string, source: string): string {
  return (fixUps[file] ?? []).reduce((text, { from, to, times }) => {
    const found = text.match(from)?.length ?? 0;
    if (found === times) return text.replace(from, to);
    throw new Error(`The fix-up ${from} of ${file} applies ${found} times and not ${times}: adapt it.`);
  }, source);
}

export const pdfFixUps: BunPlugin = {
  name: "pdf-fix-ups",
  setup(build) {
    build.onLoad({ filter: /\/pdfjs-dist\/legacy\/build\/pdf(\.worker)?\.mjs$/ }, async ({ path }) => ({
      contents: pdfFixUp(basename(path), await Bun.file(path).text()),
      loader: "js",
    }));
  },
};
