import { readClientSettings, reportProblems } from "./read-settings.ts";

/**
 * The data folder, for a command that works on the SQLite in it. Undefined, and said why, for settings that are wrong or
 * that name PostgreSQL, where `instead` does the same.
 */
export function sqliteFolder(startFolder: string, command: string, instead: string): string | undefined {
  const loaded = readClientSettings(startFolder);
  if (!loaded.settings) {
    reportProblems(loaded);
    return undefined;
  }
  const { dataDir, databaseUrl } = loaded.settings.store;
  if (databaseUrl === undefined) return dataDir;
  console.error(`openclaw ${command} is for SQLite. With OPENCLAW_DATABASE_URL use ${instead}.`);
  return undefined;
}
