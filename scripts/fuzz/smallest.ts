const mostTries = 60;

/** Cuts pieces out of an input for as long as `still` says that what is left does the same. */
export async function smallest(
  input: Uint8Array,
  still: (input: Uint8Array) => Promise<boolean>,
  until = performance.now() + 30_000,
): Promise<Uint8Array> {
  let kept = Buffer.from(input);
  let piece = Math.ceil(kept.length / 2);
  for (let tries = 0; piece >= 1 && tries < mostTries;) {
    let shorter = false;
    for (let at = 0; at < kept.length && tries < mostTries; tries++) {
      if (performance.now() > until) return kept;
      const cut = Buffer.concat([kept.subarray(0, at), kept.subarray(at + piece)]);
      if (await still(cut)) {
        kept = cut;
        shorter = true;
      } else at += piece;
    }
    if (!shorter) piece = piece === 1 ? 0 : Math.ceil(piece / 2);
  }
  return kept;
}
