/** The word that takes the fewest edits to make from `name`, unless it takes so many that nobody meant it. */
export function nearest(name: string, words: readonly string[]): string | undefined {
  const most = Math.max(2, Math.floor(name.length / 3));
  const [best] = words
    .filter((word) => Math.abs(word.length - name.length) <= most)
    .map((word) => ({ word, edits: countEdits(name, word) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= most ? best.word : undefined;
}

/** Characters to insert, to remove or to replace on the way from one word to the other. */
function countEdits(from: string, to: string): number {
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    let left = row;
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      left = Math.min(replaced, left + 1, (last[column] ?? 0) + 1);
      current.push(left);
    }
    last = current;
  }
  return last[to.length] ?? 0;
}
