import { readdir } from "node:fs/promises";
import { join } from "node:path";

const source = join(import.meta.dir, "../node_modules/pdfjs-dist/cmaps");

/**
 * Packs the character maps of pdfjs (CJK text needs them) into `outfile`, for the executable to embed: a line of JSON,
 * `{ name: [offset, length] }`, then the maps one after another, all compressed with zstd.
 */
export async function buildPdfData(outfile: string): Promise<void> {
  const names = (await readdir(source)).filter((name) => name.endsWith(".bcmap")).sort();
  if (names.length === 0) throw new Error(`No character maps in ${source}: has pdfjs-dist moved them?`);
  const maps = await Promise.all(names.map((name) => Bun.file(join(source, name)).bytes()));
  let offset = 0;
  const index = Object.fromEntries(
    maps.map((map, at) => {
      offset += map.length;
      return [names[at], [offset - map.length, map.length]];
    }),
  );
  const packed = Buffer.concat([Buffer.from(`${JSON.stringify(index)}\n`), ...maps]);
  await Bun.write(outfile, await Bun.zstdCompress(packed, { level: 19 }));
}

if (import.meta.main) await buildPdfData(join(import.meta.dir, "../dist/pdf/cmaps.bin.txt"));
