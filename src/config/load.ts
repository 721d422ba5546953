import { resolve } from "node:path";
import * as v from "valibot";
import { isFromKubernetes, type Note, noteNames } from "./notes.ts";
import { type NamedFile, type NetNames, readNetNames, readVariable } from "./read-variable.ts";
import type { Environment, SettingRow } from "./setting-row.ts";
import { type Settings, settingsTable } from "./settings.ts";
import { showText } from "./show.ts";

/** A setting that stops the start: `text` is a sentence with the value seen and what is allowed. */
export interface Problem {
  readonly env: string;
  readonly text: string;
}

export interface Loaded {
  /** Absent exactly when there are problems. */
  readonly settings: Settings | undefined;
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
  /** What is set, by the name of the setting; what is not in it has its default. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The files that values were read from. */
  readonly files: readonly SettingFile[];
}

export interface SettingFile extends NamedFile {
  /** Its text is never to be shown. */
  readonly secret: boolean;
}

/** Where a value came from, and the value as it may be shown. */
export interface Source {
  readonly from: string;
  readonly shown: string;
}

interface Start {
  readonly environment: Environment;
  readonly folder: string;
  readonly netNames: NetNames;
}

type Checked =
  | { readonly value: unknown; readonly source?: Source; readonly files?: readonly NamedFile[] }
  | { readonly problem: string };

/** Reads and checks every setting, and reports all problems at once. Relative paths resolve in `startFolder`. */
export function loadSettings(environment: Environment, startFolder: string): Loaded {
  const ours = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => !isFromKubernetes(name, value)),
  );
  const start = { environment: ours, folder: startFolder, netNames: readNetNames(ours) };
  const problems: Problem[] = [];
  const sources = new Map<string, Source>();
  const values = new Map<SettingRow, unknown>();
  const files: SettingFile[] = [];
  for (const row of settingRows()) {
    const checked = withPaths(row, checkRow(row, start), values, start);
    if ("problem" in checked) problems.push({ env: row.env, text: `${row.env} ${checked.problem}` });
    else values.set(row, checked.value);
    if ("source" in checked && checked.source) sources.set(row.env, checked.source);
    if ("files" in checked)
      files.push(...(checked.files ?? []).map((file) => ({ ...file, secret: row.secret === true })));
  }
  return {
    settings: problems.length === 0 ? toSettings(values) : undefined,
    problems,
    notes: noteNames(settingRows(), environment, start.netNames),
    sources,
    files,
  };
}

/** Every row of the table, in its order. */
export const settingRows = (): readonly SettingRow[] =>
  Object.values(settingsTable).flatMap((group) => Object.values<SettingRow>(group));

function checkRow(row: SettingRow, start: Start): Checked {
  const read = readVariable(row, start.environment, start.folder, start.netNames);
  if (read && "fault" in read) return { problem: `cannot be read. ${read.fault}.` };
  const fallback = typeof row.fallback === "function" ? row.fallback(start.environment) : row.fallback;
  const text = read?.text ?? fallback;
  if (text === undefined && row.fallback)
    return { problem: `is not set, and has no default here: set it. ${row.doc}` };
  if (text === undefined) return { value: undefined };
  const checked = v.safeParse(row.schema, text);
  if (!checked.success) return { problem: `is ${showText(row, text)}. ${checked.issues[0].message}.` };
  if (read === undefined) return { value: checked.output };
  const { from, files = [] } = read;
  return { value: checked.output, source: { from, shown: showText(row, text) }, files };
}

/** Makes the paths of a row absolute; `*`, which OpenClaw.NET takes for every folder, is `/`. */
function withPaths(
  row: SettingRow,
  checked: Checked,
  values: ReadonlyMap<SettingRow, unknown>,
  start: Start,
): Checked {
  if (row.path === undefined || "problem" in checked || checked.value === undefined) return checked;
  const base = row.path === "start" ? start.folder : values.get(settingsTable.sandbox.workspace);
  const paths = [checked.value].flat().map((path) => (path === "*" ? "/" : String(path)));
  const relative = paths.find((path) => !path.startsWith("/"));
  if (relative !== undefined && typeof base !== "string")
    return {
      problem: `names ${JSON.stringify(relative)}, which is relative to a workspace. Set OPENCLAW_WORKSPACE.`,
    };
  const resolved = paths.map((path) => resolve(String(base ?? "/"), path));
  return { ...checked, value: Array.isArray(checked.value) ? resolved : resolved[0] };
}

/** Each value has passed the schema of its row, which is what `Settings` is inferred from. */
const toSettings = (values: ReadonlyMap<SettingRow, unknown>) =>
  Object.fromEntries(
    Object.entries(settingsTable).map(([group, rows]) => [
      group,
      Object.fromEntries(Object.entries<SettingRow>(rows).map(([name, row]) => [name, values.get(row)])),
    ]),
  ) as Settings;
