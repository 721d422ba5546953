import type { SettingRow } from "../setting-row.ts";
import { choice } from "../values.ts";

export const telemetryRows = {
  logLevel: {
    env: "OPENCLAW_LOG_LEVEL",
    schema: choice(["debug", "info", "warn", "error"]),
    fallback: "info",
    doc: "Least level that is logged to stderr.",
  },
} as const satisfies Record<string, SettingRow>;
