import { selfTest } from "../assemble/self-test.ts";
import type { Loaded } from "../config/load.ts";
import type { Check } from "../doctor/check.ts";
import { offlineChecks } from "../doctor/checks.ts";
import { type Checked, report } from "../doctor/report.ts";
import { toReport, toReportText } from "../doctor/show-report.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { readArguments } from "./read-arguments.ts";
import { readSettings } from "./read-settings.ts";
import { version } from "./version.ts";

/** Tests this executable with these settings, offline: 0 good, 2 when a setting is wrong or unknown, 3 when a check failed. */
export const check = (invocation: Invocation) => runChecks("--check", offlineChecks, invocation);

/** Runs checks and prints what they found; `name` is the command. */
export async function runChecks(
  name: string,
  checks: readonly Check[],
  { args, startFolder }: Invocation,
  timeoutMs?: number,
): Promise<ExitCode> {
  const read = readArguments(args, { json: { type: "boolean", default: false } });
  if (!read.ok || read.words.length > 0) {
    console.error(
      `openclaw ${name}: ${read.ok ? `There is no argument ${read.words.join(" ")}.` : read.fault}`,
    );
    return 2;
  }
  const loaded = readSettings(startFolder);
  const findings = await examine(loaded, checks, timeoutMs);
  const shown = { version, checks: findings, sources: loaded.sources };
  console.log(read.values.json ? JSON.stringify(toReport(shown)) : toReportText(shown));
  if (findings.some(({ id, state }) => id === "settings" && state === "fail")) return 2;
  return findings.some(({ state }) => state === "fail") ? 3 : 0;
}

async function examine(
  { settings, problems, notes, sources }: Loaded,
  checks: readonly Check[],
  timeoutMs?: number,
): Promise<readonly Checked[]> {
  if (settings) return report(checks, { settings, notes, sources, version, selfTest }, timeoutMs);
  const unknown = notes.filter(({ kind }) => kind === "unknown");
  return [
    ...problems.map(({ env, text }) => failed(text, `Correct ${env}; openclaw --help tells what it takes.`)),
    ...unknown.map(({ text }) => failed(text, "Take it away, or correct its name; see openclaw --help.")),
  ];
}

const failed = (text: string, fix: string): Checked => ({ id: "settings", state: "fail", text, fix });
