import { type Effective, effectiveSettings } from "../config/effective.ts";
import { environment } from "../config/environment.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { readArguments } from "./read-arguments.ts";
import { readSettings } from "./read-settings.ts";

/** `openclaw config`: every setting with where it came from; 0, or 2 when one is wrong or not known. */
export async function config({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, { json: { type: "boolean", default: false } });
  if (!read.ok || read.words.length > 0) {
    console.error(`openclaw config: ${read.ok ? "Say openclaw config [--json]." : read.fault}`);
    return 2;
  }
  const loaded = readSettings(startFolder);
  const settings = effectiveSettings(loaded, environment());
  const { problems, notes } = loaded;
  const ok = problems.length === 0 && notes.every(({ kind }) => kind !== "unknown");
  console.log(
    read.values.json ? JSON.stringify({ ok, settings, problems, notes }) : settings.map(toLine).join("\n"),
  );
  if (!read.values.json) for (const { text } of [...problems, ...notes]) console.error(text);
  return ok ? 0 : 2;
}

const toLine = ({ env, shown = "", from }: Effective) =>
  `${env} = ${shown}${from === env ? "" : ` (${from})`}`.replace("=  (", "= (");
