import { resolve } from "node:path";
import { readText } from "./read-text.ts";
import type { Environment, SettingRow } from "./setting-row.ts";

/** A file that a variable names, whose text is the value of a setting. */
export interface NamedFile {
  /** `OPENCLAW_AUTH_TOKEN_FILE`. */
  readonly variable: string;
  /** Absolute. */
  readonly path: string;
}

/** The text of a variable and the name that it came from, or why there is none. */
export type Read =
  | { readonly text: string; readonly from: string; readonly files?: readonly NamedFile[] }
  | { readonly fault: string }
  | undefined;

/** What the variables of OpenClaw.NET say, by their names in lower case. */
export type NetNames = ReadonlyMap<string, { readonly text: string; readonly from: string }>;

/** What a row's variable says: itself, the file that `NAME_FILE` names, or a name of OpenClaw.NET. An empty one counts as not set. */
export function readVariable(
  row: SettingRow,
  environment: Environment,
  startFolder: string,
  netNames: NetNames,
): Read {
  if (row.family !== undefined) return readFamily(row.family, environment, startFolder);
  const own = environment[row.env] || undefined;
  const fileName = `${row.env}_FILE`;
  const file = environment[fileName] || undefined;
  if (own !== undefined && file !== undefined)
    return { fault: `It and ${fileName} are both set: keep one of them` };
  if (own !== undefined) return { text: own, from: row.env };
  if (file !== undefined) return readNamedFile(resolve(startFolder, file), fileName);
  return row.alias?.map((alias) => netNames.get(alias.toLowerCase())).find((found) => found !== undefined);
}

/** Every variable of a kind, and those that a file names, as the JSON of lists by name. */
function readFamily(family: RegExp, environment: Environment, startFolder: string): Read {
  const found: [string, string[]][] = [];
  const files: NamedFile[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    const [, name] = family.exec(variable.replace(/_FILE$/, "")) ?? [];
    if (name === undefined || !value) continue;
    const read: Read = variable.endsWith("_FILE")
      ? readNamedFile(resolve(startFolder, value), variable)
      : { text: value, from: variable };
    if (read === undefined || "fault" in read) return read;
    files.push(...(read.files ?? []));
    const items = read.text.split(",").map((item) => item.trim());
    found.push([name.toLowerCase().replaceAll("_", "-"), items.filter((item) => item !== "")]);
  }
  if (found.length === 0) return undefined;
  return { text: JSON.stringify(Object.fromEntries(found)), from: "environment", files };
}

function readNamedFile(path: string, fileName: string): Read {
  try {
    return { text: readText(path), from: fileName, files: [{ variable: fileName, path }] };
  } catch (error) {
    return {
      fault: `${fileName} names ${path}, which cannot be read: ${error instanceof Error ? error.message : error}`,
    };
  }
}

/** Collects the names of OpenClaw.NET in any case; the items of a list (`NAME__0`, `NAME__1`, …) are joined by commas. */
export function readNetNames(environment: Environment): NetNames {
  const items = Object.entries(environment).flatMap(([from, text]) => {
    const match = /^(openclaw__.*?)(?:__(\d+))?$/i.exec(from);
    return match?.[1] && text
      ? [{ name: match[1].toLowerCase(), place: Number(match[2] ?? -1), text, from }]
      : [];
  });
  const names = new Map<string, { text: string; from: string }>();
  for (const { name, text, from } of items.sort((a, b) => a.place - b.place)) {
    const before = names.get(name);
    names.set(name, before ? { ...before, text: `${before.text},${text}` } : { text, from });
  }
  return names;
}
