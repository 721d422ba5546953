import type { SettingRow } from "../setting-row.ts";
import { days } from "../values.ts";

export const turnsRows = {
  sessionMs: {
    env: "OPENCLAW_SESSION_RETENTION_DAYS",
    schema: days,
    fallback: "0",
    doc: "Days that a session which nobody uses is kept, with all that belongs to it; 0: for ever.",
  },
  eventMs: {
    env: "OPENCLAW_EVENT_RETENTION_DAYS",
    schema: days,
    fallback: "7",
    doc: "Days that a client may be away and still be told what it missed, event by event; the messages stay. 0: for ever.",
  },
  auditMs: {
    env: "OPENCLAW_AUDIT_RETENTION_DAYS",
    schema: days,
    fallback: "90",
    doc: "Days that the audit trail is kept; what goes is signed for. 0: for ever.",
  },
} as const satisfies Record<string, SettingRow>;
