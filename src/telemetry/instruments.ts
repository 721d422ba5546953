import type { AsyncLocalStorage } from "node:async_hooks";

/** Metrics whose hot path is the increment of a number. Prometheus, OTLP and `/metrics` read the same cells. */

export interface FamilyName {
  /** With prefix and unit as Prometheus wants them: `openclaw_turn_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface Value {
  readonly labels: readonly string[];
  readonly value: number;
}

export interface Distribution {
  readonly labels: readonly string[];
  /** How many fell into each bucket, the one above the last bound included; not added up. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** One family as it stands now. */
export type Reading = Required<FamilyName> &
  (
    | { readonly kind: "counter" | "gauge"; readonly values: readonly Value[] }
    | {
        readonly kind: "histogram";
        readonly bounds: readonly number[];
        readonly distributions: readonly Distribution[];
      }
  );

export interface Counter {
  add(by: number, ...labels: string[]): void;
  /** Of all its series together. */
  total(): number;
  read(): Reading;
}

export interface Histogram {
  observe(value: number, ...labels: string[]): void;
  /** Whether there is a series whose first label is this. */
  knows(first: string): boolean;
  read(): Reading;
}

let uncountedWork: AsyncLocalStorage<true> | undefined;

/** Does work of which nothing is counted, while all other work is: what a server does to try itself out. */
export async function uncounted<T>(work: () => Promise<T>): Promise<T> {
  // Loaded when it is needed: a start has no use for it.
  uncountedWork ??= new (await import("node:async_hooks")).AsyncLocalStorage();
  return uncountedWork.run(true, work);
}

/** False in `uncounted` work and in what that set off. */
export const isCounting = () => uncountedWork?.getStore() === undefined;

/** Series of one family; what comes beyond them is counted as `other`. */
export const mostSeries = 100;
const longestLabel = 120;
const other = "other";

/** The cells of a family by their labels; never more than `mostSeries` and the one of all others. */
function createCells<Cell>(make: (labels: readonly string[]) => Cell) {
  const cells = new Map<string, Cell>();
  return {
    cells,
    at(labels: readonly string[]): Cell {
      const key = labels.length === 1 ? (labels[0] ?? "") : labels.join("\0");
      const found = cells.get(key);
      if (found !== undefined) return found;
      const fits = cells.size < mostSeries;
      const kept = labels.map((label) => (fits ? label.slice(0, longestLabel).toWellFormed() : other));
      const keptKey = kept.join("\0");
      const known = cells.get(keptKey);
      if (known !== undefined) return known;
      const made = make(kept);
      cells.set(keptKey, made);
      return made;
    },
  };
}

/** Counts up. Without labels it has one series, which is there from the start. */
export function createCounter({ name, help, labels = [] }: FamilyName): Counter {
  const { cells, at } = createCells((kept) => ({ labels: kept, value: 0 }));
  if (labels.length === 0) at([]);
  return {
    add(by, ...values) {
      if (isCounting()) at(values).value += by;
    },
    total: () => cells.values().reduce((sum, { value }) => sum + value, 0),
    read: () => ({ kind: "counter", name, help, labels, values: [...cells.values()] }),
  };
}

/** Counts values in buckets; `bounds` are the upper ends, ascending. */
export function createHistogram({
  name,
  help,
  labels = [],
  bounds,
}: FamilyName & { readonly bounds: readonly number[] }): Histogram {
  const { cells, at } = createCells((kept) => ({
    labels: kept,
    counts: new Array<number>(bounds.length + 1).fill(0),
    sum: 0,
    count: 0,
  }));
  if (labels.length === 0) at([]);
  return {
    observe(value, ...values) {
      if (!isCounting()) return;
      const cell = at(values);
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
      cell.counts[bucket] = (cell.counts[bucket] ?? 0) + 1;
      cell.sum += value;
      cell.count++;
    },
    knows: (first) => cells.values().some((cell) => cell.labels[0] === first),
    read: () => ({ kind: "histogram", name, help, labels, bounds, distributions: [...cells.values()] }),
  };
}
