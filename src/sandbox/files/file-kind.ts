const signatures: readonly (readonly [kind: string, bytes: string, at?: number])[] = [
  ["a PNG image", "\x89PNG\r\n\x1a\n"],
  ["a JPEG image", "\xff\xd8\xff"],
  ["a GIF image", "GIF8"],
  ["a WebP image", "WEBP", 8],
  ["a WAV sound", "WAVE", 8],
  ["a PDF document", "%PDF-"],
  ["a ZIP archive (or an Office document)", "PK\x03\x04"],
  ["a gzip archive", "\x1f\x8b"],
  ["a Zstandard archive", "\x28\xb5\x2f\xfd"],
  ["an xz archive", "\xfd7zXZ\0"],
  ["a bzip2 archive", "BZh"],
  ["a 7z archive", "7z\xbc\xaf\x27\x1c"],
  ["a tar archive", "ustar", 257],
  ["an ELF executable", "\x7fELF"],
  ["a WebAssembly module", "\0asm"],
  ["an SQLite database", "SQLite format 3\0"],
  ["an MP4 video", "ftyp", 4],
  ["an MP3 sound", "ID3"],
  ["an Ogg sound", "OggS"],
  ["UTF-16 text", "\xff\xfe"],
  ["UTF-16 text", "\xfe\xff"],
];

/** Beginnings that are unmistakable: no text starts like that. */
const unmistakable = /^[^ -~\n]|^%PDF-/;

/** One of these, or a NUL byte, is in every file that is no text; a text may have one too. As Latin-1. */
export const signsOfBinary: readonly string[] = [
  "\0",
  ...signatures
    .filter(([, signature, at = 0]) => at > 0 || unmistakable.test(signature))
    .map(([, signature]) => signature),
];

/** What a file that is no text is, told from its first block; undefined for text (a NUL byte makes it none). */
export function binaryKind(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 8192)).toString("latin1");
  const known = signatures.find(([, signature, at = 0]) => bytes.startsWith(signature, at))?.[0];
  // A text may begin with `BZh` or `ID3` too, so what has no NUL is a text unless it is named by an unmistakable start.
  return known !== undefined && unmistakable.test(bytes)
    ? known
    : bytes.includes("\0")
      ? (known ?? "a binary file")
      : undefined;
}

/** A size for people: `12 kB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  const value = bytes / 1000 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power - 1]}`;
}
