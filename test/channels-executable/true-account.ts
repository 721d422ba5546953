import { expect } from "bun:test";
import type { killRun } from "./kill-run.ts";

/** That nothing was lost, nothing came out of order, and nothing twice but by a kill. */
export function expectTrueAccount(run: Awaited<ReturnType<typeof killRun>>): void {
  expect(run.heard).toEqual(run.expected);
  expect(run.unexplained).toEqual([]);
  for (const { runs, heard } of run.jobs) {
    const [{ slot: first } = { slot: 0 }] = runs;
    expect(runs.length).toBeGreaterThan(1);
    expect(runs.map(({ slot }) => slot)).toEqual(runs.map((_, n) => first + n * 1000));
    expect(runs.map(({ state, slots }) => `${state} ${slots}`)).toEqual(runs.map(() => "ran 1"));
    // Slots that came due after the last kill may have been heard as well.
    expect(heard.length).toBeGreaterThanOrEqual(runs.length);
    expect(heard).toEqual(heard.map((_, n) => `tick ${n + 1}`));
  }
}
