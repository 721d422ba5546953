import type { Environment, SettingRow } from "../setting-row.ts";
import { text } from "../values.ts";

function defaultDataDir({ XDG_STATE_HOME, HOME }: Environment) {
  if (XDG_STATE_HOME?.startsWith("/")) return `${XDG_STATE_HOME}/openclaw`;
  return HOME?.startsWith("/") ? `${HOME}/.local/state/openclaw` : undefined;
}

export const storeRows = {
  dataDir: {
    env: "OPENCLAW_DATA_DIR",
    schema: text,
    path: "start",
    fallback: defaultDataDir,
    doc: "The one folder that is written (mode 0700); the database is `openclaw.db` in it.",
    shown: "`$XDG_STATE_HOME/openclaw`, else `~/.local/state/openclaw`",
    alias: ["OpenClaw__Memory__StoragePath"],
  },
} as const satisfies Record<string, SettingRow>;
