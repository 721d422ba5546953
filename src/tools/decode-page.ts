/** How much of a page is looked at for the name of its character set. */
const lookedAt = 4096;

const labelIn = (head: string): string | undefined =>
  /<meta[^>]{0,500}charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head)?.[1] ??
  /^<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]{1,40})/i.exec(head)?.[1];

function byteOrder(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function decoder(label: string | undefined): TextDecoder | undefined {
  if (label === undefined) return undefined;
  try {
    // Bun types know a few labels; it takes all of the standard, and throws for others.
    return new TextDecoder(label as Bun.Encoding);
  } catch {
    return undefined;
  }
}

/** Bytes as text: by their byte order mark, else as the server says, else as the page says, else UTF-8 where it fits. */
export function decodePage(bytes: Uint8Array, said: string | undefined): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, lookedAt)).toString(
    "latin1",
  );
  // A page that can be read by its letters to find `charset=utf-16` is not UTF-16.
  const inside = labelIn(head)?.replace(/^utf-16.*$/i, "utf-8");
  const named = decoder(byteOrder(bytes)) ?? decoder(said) ?? decoder(inside);
  if (named !== undefined) return named.decode(bytes);
  const text = new TextDecoder().decode(bytes);
  const misfits = text.split("\uFFFD", 20).length - 1;
  // One may be a character that was cut at the end.
  return misfits <= 1 ? text : new TextDecoder("windows-1252").decode(bytes);
}
