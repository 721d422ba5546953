import { offlineChecks } from "../doctor/checks.ts";
import { keptChecks } from "../doctor/kept-checks.ts";
import { onlineChecks } from "../doctor/online-checks.ts";
import { runChecks } from "./check.ts";
import type { ExitCode, Invocation } from "./command.ts";

/** For one check: a local model may have to be loaded first. */
const timeoutMs = 60_000;

/** What `--check` tests, then what the database holds, and whether the providers answer: 0, 2 and 3 as there. */
export const doctor = (invocation: Invocation): Promise<ExitCode> =>
  runChecks("--doctor", [...offlineChecks, ...keptChecks, ...onlineChecks], invocation, timeoutMs);
