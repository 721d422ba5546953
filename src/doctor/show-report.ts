import type { Loaded } from "../config/load.ts";
import type { Checked } from "./report.ts";

interface Shown {
  readonly version: string;
  readonly checks: readonly Checked[];
  readonly sources: Loaded["sources"];
}

/** The report for programs: `ok` is false when a check failed. */
export const toReport = ({ version, checks, sources }: Shown) => ({
  version,
  ok: checks.every(({ state }) => state !== "fail"),
  checks,
  settings: Object.fromEntries(sources),
});

/** The same for people: a line for each check, its fix below it, and what is set. */
export const toReportText = ({ version, checks, sources }: Shown): string =>
  [
    `openclaw ${version}`,
    ...checks.flatMap(({ state, id, text, fix }) => [
      `${state.padEnd(5)} ${id.padEnd(9)} ${text}`,
      ...(fix === undefined ? [] : [`${" ".repeat(16)}${fix}`]),
    ]),
    ...[...sources].map(
      ([name, { from, shown }]) => `set   ${name} = ${shown}${from === name ? "" : ` (${from})`}`,
    ),
  ].join("\n");
