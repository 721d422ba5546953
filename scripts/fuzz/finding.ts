/** One input that did harm. */
export interface Finding {
  readonly surface: string;
  /** Which input of the surface it was, from 0: with the seed it can be made again. */
  readonly number: number;
  readonly fault: string;
  /** The smallest input that was found to do the same; as it was where it did not do it again. */
  readonly input: Uint8Array;
  readonly again: boolean;
}

const shown = 2000;

/** For people: how to do it again, and with what. */
export function describe({ surface, number, fault, input, again }: Finding, seed: number): string {
  const text = JSON.stringify(Buffer.from(input).toString("latin1")).slice(0, shown);
  const how = `bun run fuzz --seed ${seed} --replay ${surface}:${number}`;
  return `FAULT of ${surface} (${how}): it ${fault}\n  ${again ? "by" : "not again by"} ${text}`;
}
