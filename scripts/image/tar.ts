/** What a tar holds; without `bytes` it is a folder. */
export interface TarEntry {
  /** Without a slash at its begin and end; up to 99 bytes. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes?: Uint8Array;
}

const block = 512;

/** The entries as a tar (ustar), in their order, with nothing of this machine or of this moment in it. */
export function makeTar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    const { bytes = new Uint8Array() } = entry;
    return [header(entry), bytes, new Uint8Array(-bytes.length & (block - 1))];
  });
  return Buffer.concat([...parts, new Uint8Array(2 * block)]);
}

/** The block before the bytes of an entry, as POSIX.1-1988 says. */
function header({ path, mode, uid, gid, bytes }: TarEntry): Uint8Array {
  const name = bytes ? path : `${path}/`;
  if (Buffer.byteLength(name) > 100) throw new Error(`${path} is too long a path for a tar.`);
  const result = Buffer.alloc(block);
  const octal = (value: number, at: number, digits: number) =>
    result.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  result.write(name, 0);
  octal(mode, 100, 7);
  octal(uid, 108, 7);
  octal(gid, 116, 7);
  octal(bytes?.length ?? 0, 124, 11);
  octal(0, 136, 11);
  result.write(bytes ? "0" : "5", 156, "latin1");
  result.write("ustar\x0000", 257, "latin1");
  // The sum counts its own field as spaces.
  result.fill(" ", 148, 156);
  const sum = result.reduce((total, byte) => total + byte, 0);
  result.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return result;
}
