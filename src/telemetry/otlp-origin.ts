import { resourceFromAttributes } from "./otlp-packages.ts";
import type { Attribute } from "./span.ts";

/** Who sends: the same objects for all that is sent, by which the packages group it. */
export interface Origin {
  readonly resource: ReturnType<typeof resourceFromAttributes>;
  readonly instrumentationScope: { readonly name: string };
}

export const createOrigin = (attributes: Readonly<Record<string, string | number>>): Origin => ({
  resource: resourceFromAttributes(attributes),
  instrumentationScope: { name: "openclaw" },
});

/** Seconds since 1970 and the nanoseconds beyond them, out of milliseconds with fractions. */
export function toHrTime(ms: number): [number, number] {
  const micros = Math.round(ms * 1000);
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1000];
}

/** Attributes as the packages take them, whose lists may be written to. */
export const toAttributes = (pairs: Iterable<readonly [string, Attribute]>) =>
  Object.fromEntries(
    Array.from(pairs, ([key, value]) => [key, typeof value === "object" ? [...value] : value] as const),
  );
