import { seeded } from "../../test/kill/random.ts";

/** Choices that are the same for the same seed. */
export interface Random {
  /** A whole number from 0 to `most - 1`. */
  below(most: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  pick<T>(list: readonly T[]): T | undefined;
}

/** `words` name what is chosen for, so that each input can be made again by itself. */
export function createRandom(seed: number, ...words: readonly (string | number)[]): Random {
  const next = seeded(Bun.hash.crc32([seed, ...words].join(" ")));
  const below = (most: number) => Math.floor(next() * most);
  function pick<T>(list: readonly [T, ...T[]]): T;
  function pick<T>(list: readonly T[]): T | undefined;
  function pick<T>(list: readonly T[]) {
    return list[below(list.length)];
  }
  return { below, chance: (share) => next() < share, pick };
}
