import type { SettingRow } from "../setting-row.ts";
import { httpUrl } from "../values.ts";

export const clientRows = {
  baseUrl: {
    env: "OPENCLAW_BASE_URL",
    schema: httpUrl,
    doc: "Server that `run`, `chat` and `--health-check` talk to.",
    shown: "`http://127.0.0.1:<OPENCLAW_PORT>`",
  },
} as const satisfies Record<string, SettingRow>;
