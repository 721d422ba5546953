import { settingRows } from "./load.ts";
import type { SettingRow } from "./setting-row.ts";
import { type Settings, settingsTable } from "./settings.ts";

/** Of an object only these fields are secret: the others are names and addresses. */
const secretFields = new Set(["key", "token", "secret", "password", "url"]);

/** User and password in an address, also as they are spelled there. */
function inAddress(text: string): string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return [];
  const { password } = url;
  return [password, decode(password)].filter((part) => part !== "");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield* [value, ...inAddress(value)];
  else if (Array.isArray(value)) for (const each of value) yield* textsIn(each);
  else if (isObject(value))
    for (const [name, each] of Object.entries(value)) if (secretFields.has(name)) yield* textsIn(each);
}

/** Every secret that the settings hold, for whoever must not let them out. */
export function secretValues(settings: Settings): readonly string[] {
  const secret = new Set(settingRows().filter((row) => row.secret === true));
  return Object.entries(settingsTable).flatMap(([group, rows]) => {
    const values: Readonly<Record<string, unknown>> = settings[group as keyof Settings];
    return Object.entries<SettingRow>(rows).flatMap(([name, row]) => {
      if (!secret.has(row)) return [];
      const value = values[name];
      // An object that is no list is a record: its names are what it is about, such as databases, and no fields.
      const secrets = isObject(value) ? Object.values(value) : [value];
      return secrets.flatMap((each) => [...textsIn(each)]);
    });
  });
}
