const usual = 4;
/** Beyond these it was no text: an image, or a provider that counts in its own way. */
const fewest = 1;
const most = 12;
const mostModels = 200;
/** How much one call changes what is known. */
const weight = 0.2;

/** What a request will take, about, by what the requests before it took. No tokenizer: only lengths are looked at. */
export interface TokenEstimate {
  tokens(model: string, bytes: number): number;
  /** Learns from a call whose tokens the provider counted. */
  learn(model: string, bytes: number, tokens: number): void;
}

/** Bytes per token of each model; those that were not asked for longest are forgotten. */
export function createTokenEstimate(): TokenEstimate {
  const ratios = new Map<string, number>();
  return {
    tokens: (model, bytes) => Math.ceil(bytes / (ratios.get(model) ?? usual)),
    learn(model, bytes, tokens) {
      const ratio = bytes / tokens;
      // NaN as well, which no tokens for no bytes would be.
      if (!(ratio >= fewest && ratio <= most)) return;
      const known = ratios.get(model);
      ratios.delete(model);
      ratios.set(model, known === undefined ? ratio : known + weight * (ratio - known));
      const [oldest] = ratios.keys();
      if (ratios.size > mostModels && oldest !== undefined) ratios.delete(oldest);
    },
  };
}
