import type { Provider } from "./providers.ts";

type Providers = readonly [Provider, ...Provider[]];

/** Providers whose keys can change while they are in use: a key is read when it is needed. */
export interface LiveKeys {
  readonly providers: [Provider, ...Provider[]];
  /** False, and nothing is taken, when more than keys differs. */
  take(next: Providers): boolean;
}

const isSameButKey = (a: Provider, b: Provider | undefined) =>
  b !== undefined &&
  (a.key === undefined) === (b.key === undefined) &&
  Bun.deepEquals({ ...a, key: undefined }, { ...b, key: undefined });

export function withLiveKeys(first: Providers): LiveKeys {
  let current: Providers = first;
  const live = (provider: Provider, at: number): Provider => ({
    ...provider,
    get key() {
      return current[at]?.key;
    },
  });
  const [main, ...others] = first;
  return {
    providers: [live(main, 0), ...others.map((each, at) => live(each, at + 1))],
    take(next) {
      const isSame = next.length === first.length && first.every((each, at) => isSameButKey(each, next[at]));
      if (isSame) current = next;
      return isSame;
    },
  };
}
