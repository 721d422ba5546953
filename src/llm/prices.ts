import type { Usage } from "./message.ts";
import { listedPrices, type Price } from "./price-table.ts";

/** The price of a model by any of its names, the best one first; undefined when it is not known, which is not the same as nothing. */
export type PriceOf = (...names: string[]) => Price | undefined;

/** `gpt-4o-2024-08-06` costs what `gpt-4o` does. */
const undated = (model: string) => model.replace(/-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$/, "");
const withoutMaker = (model: string) => model.slice(model.lastIndexOf("/") + 1);

const lookUp = (prices: ReadonlyMap<string, Price>, model: string): Price | undefined => {
  const bare = withoutMaker(model);
  return prices.get(model) ?? prices.get(undated(model)) ?? prices.get(bare) ?? prices.get(undated(bare));
};

/**
 * Looks all names of a model up among `own` prices first, then among the listed ones; a maker before the name and a date
 * behind it do not matter.
 */
export function createPrices(own: Readonly<Record<string, Price>> = {}): PriceOf {
  const tables = [own, listedPrices].map((table) => new Map(Object.entries(table)));
  return (...names) => {
    for (const table of tables)
      for (const name of names) {
        const price = lookUp(table, name);
        if (price !== undefined) return price;
      }
    return undefined;
  };
}

/** Millionths of a dollar, a whole number. A dollar per million tokens is a millionth of one per token. */
export function costOf(
  price: Price,
  { inputTokens, cachedTokens, outputTokens }: Pick<Usage, "inputTokens" | "cachedTokens" | "outputTokens">,
): number {
  const cached = Math.min(cachedTokens, inputTokens);
  const fresh = inputTokens - cached;
  return Math.round(
    fresh * price.input + cached * (price.cached ?? price.input) + outputTokens * price.output,
  );
}
