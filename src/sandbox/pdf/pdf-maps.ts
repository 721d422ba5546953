import packed from "../../../dist/pdf/cmaps.bin.txt" with { type: "file" };

type ReadMap = (name: string) => Uint8Array;

/** Unpacks the character maps that `scripts/build-pdf-data.ts` packed. */
async function unpack(): Promise<ReadMap> {
  const bytes = await Bun.zstdDecompress(await Bun.file(packed).bytes());
  const start = bytes.indexOf(0x0a) + 1;
  // Written by our own build, and part of the executable.
  const index: Readonly<Record<string, readonly [number, number]>> = JSON.parse(
    bytes.subarray(0, start).toString(),
  );
  return (name) => {
    const place = Object.hasOwn(index, name) ? index[name] : undefined;
    if (place === undefined) throw new Error(`There is no character map ${name}.`);
    const [offset, length] = place;
    return Uint8Array.from(bytes.subarray(start + offset, start + offset + length));
  };
}

let unpacked: Promise<ReadMap> | undefined;

/** What pdfjs asks for its data, as a class: character maps are embedded, nothing else is needed to read text. */
export class EmbeddedMaps {
  async fetch({ kind, filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    if (kind !== "cMapUrl") throw new Error(`${filename} is not needed for text.`);
    return (await (unpacked ??= unpack()))(filename);
  }
}
