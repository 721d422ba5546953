/** The lines of a stream of UTF-8, without their ends; throws when one is longer than `most` characters. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>, most: number): AsyncIterable<string> {
  const decoder = new TextDecoder();
  // Joined when the line is whole: a long one comes in many pieces.
  let pieces: string[] = [];
  let length = 0;
  for await (const block of stream) {
    const [first = "", ...others] = decoder.decode(block, { stream: true }).split("\n");
    pieces.push(first);
    length += first.length;
    if (length > most) throw new Error(`A line has more than ${most} characters.`);
    for (const next of others) {
      yield pieces.join("");
      pieces = [next];
      length = next.length;
    }
  }
}
