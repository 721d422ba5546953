import { environment } from "../config/environment.ts";
import { refusals } from "../config/exposure.ts";
import { type Loaded, loadSettings, type Problem } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { inferProviders } from "../llm/providers.ts";

/** The settings of this process as a client needs them: every value checked, nothing asked about serving. */
export const readClientSettings = (startFolder: string): Loaded => loadSettings(environment(), startFolder);

/** The settings of this process for serving: what must not be served is a problem too. */
export function readSettings(startFolder: string): Loaded {
  const loaded = loadSettings(environment(), startFolder);
  if (!loaded.settings) return loaded;
  const { settings, files } = loaded;
  const problems = [...refusals(settings, process.execPath, files), ...refuseProvider(settings)];
  return problems.length === 0 ? loaded : { ...loaded, settings: undefined, problems };
}

/** What the provider lacks, with the name of the setting that would give it. */
function refuseProvider({ llm }: Settings): readonly Problem[] {
  try {
    inferProviders(llm);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [{ env: error.param ?? "MODEL_PROVIDER", text: error.message }];
  }
}

/** Says on stderr why there are no settings. */
export function reportProblems({ problems, notes }: Loaded) {
  const unknown = notes.filter(({ kind }) => kind === "unknown");
  const count = problems.length === 1 ? "one setting is" : `${problems.length} settings are`;
  console.error(`openclaw cannot start: ${count} not right.`);
  for (const { text } of [...problems, ...unknown]) console.error(`  ${text}`);
}
