import { isTerminal } from "./is-terminal.ts";

/** Says on a terminal what takes its time; a pipe gets the result alone. */
export function tellProgress(doing: string) {
  if (isTerminal(2)) console.error(`  ${doing} …`);
}
