import type { Loaded } from "./load.ts";
import { type Settings, settingsTable } from "./settings.ts";
import type { SettingRow } from "./setting-row.ts";

/** Settings of which some follow what is taken later; who wants the present value reads it when it is used. */
export interface LiveSettings {
  readonly settings: Settings;
  /** Where the values came from that count now. */
  sources(): Loaded["sources"];
  /** From now on the live rows have these values; the others keep theirs. */
  take(next: { readonly settings: Settings; readonly sources: Loaded["sources"] }): void;
}

/** Makes the rows that are marked `live` follow what is taken. */
export function createLiveSettings(
  first: Settings,
  firstSources: Loaded["sources"] = new Map(),
): LiveSettings {
  let current = first;
  let sources = firstSources;
  const liveNames = new Set<string>();
  const groups = Object.entries(settingsTable).map(([group, rows]) => {
    const name = group as keyof Settings;
    const values = { ...first[name] };
    for (const [field, row] of Object.entries<SettingRow>(rows)) {
      if (row.live !== true) continue;
      liveNames.add(row.env);
      const get = () => fieldOf(current[name], field);
      Object.defineProperty(values, field, { get, enumerable: true });
    }
    return [group, values];
  });
  // Each group has the fields of `first`, which is `Settings`.
  return {
    settings: Object.fromEntries(groups) as Settings,
    sources: () => sources,
    take(next) {
      current = next.settings;
      const kept = [...sources].filter(([name]) => !liveNames.has(name));
      sources = new Map([...kept, ...[...next.sources].filter(([name]) => liveNames.has(name))]);
    },
  };
}

const fieldOf = (group: Readonly<Record<string, unknown>>, field: string): unknown => group[field];

/** Which settings differ, by the names of their variables. */
export interface Changes {
  readonly live: readonly string[];
  /** They keep their values until the next start. */
  readonly afterRestart: readonly string[];
}

/** What reading the settings again would change. */
export function changesOf(before: Settings, after: Settings): Changes {
  const changed = Object.entries(settingsTable).flatMap(([group, rows]) => {
    const name = group as keyof Settings;
    return Object.entries<SettingRow>(rows)
      .filter(([field]) => !Bun.deepEquals(fieldOf(before[name], field), fieldOf(after[name], field)))
      .map(([, row]) => row);
  });
  const names = (rows: readonly SettingRow[]) => rows.map(({ env }) => env);
  return {
    live: names(changed.filter(({ live }) => live === true)),
    afterRestart: names(changed.filter(({ live }) => live !== true)),
  };
}
