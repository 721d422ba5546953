/** How long the parts of a start took. */
export interface Phases {
  /** Ends the phase that is going on, by its name. */
  end(name: string): void;
  /** Milliseconds of each, in order, and of all together. */
  times(): Readonly<Record<string, number>>;
}

const rounded = (ms: number) => Math.round(ms * 10) / 10;

/** Begins the first phase now. */
export function startPhases(now: () => number = () => performance.now()): Phases {
  const begun = now();
  const ended: [string, number][] = [];
  let last = begun;
  return {
    end(name) {
      const at = now();
      ended.push([name, rounded(at - last)]);
      last = at;
    },
    times: () => ({
      ...Object.fromEntries(ended.map(([name, ms]) => [`${name}Ms`, ms])),
      totalMs: rounded(last - begun),
    }),
  };
}
