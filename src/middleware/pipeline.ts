import type { Middleware, RunTurn } from "../agent/turn.ts";

/** Puts the steps around the agent, the first one outermost. */
export const pipeline = (steps: readonly Middleware[], agent: RunTurn): RunTurn =>
  steps.reduceRight<RunTurn>((next, step) => (turn) => step(turn, next), agent);
