import { setUpLog } from "../telemetry/log.ts";
import { AppError } from "../errors.ts";
import { readAuditKey } from "../store/audit-key.ts";
import { type AuditReport, verifyAudit } from "../store/audit-verify.ts";
import { openForReading } from "../store/open-for-reading.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { readArguments } from "./read-arguments.ts";
import { readClientSettings, reportProblems } from "./read-settings.ts";

/** `openclaw audit verify`: 0 when every chain is whole, 3 when one is broken, 2 when there is nothing to look at. */
export async function audit({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, { json: { type: "boolean", default: false } });
  if (!read.ok || read.words.join(" ") !== "verify") {
    console.error(`openclaw audit: ${read.ok ? "Say openclaw audit verify [--json]." : read.fault}`);
    return 2;
  }
  const loaded = readClientSettings(startFolder);
  if (!loaded.settings) {
    reportProblems(loaded);
    return 2;
  }
  const { store: settings } = loaded.settings;
  setUpLog({ level: "error", pretty: true });
  try {
    const store = await openForReading(settings);
    try {
      const key = settings.auditKey ?? readAuditKey(settings.dataDir);
      const report = await verifyAudit(store, key);
      console.log(
        read.values.json ? JSON.stringify({ ok: report.broken === undefined, ...report }) : toText(report),
      );
      return report.broken === undefined ? 0 : 3;
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(`openclaw audit verify cannot look at it. ${error.message}`);
    return error.code === "not_found" ? 2 : 3;
  }
}

function toText({ chains, rows, swept, broken }: AuditReport): string {
  const read = `${rows} rows of ${chains} ${chains === 1 ? "process" : "processes"}; ${swept} older ones are signed for`;
  if (broken === undefined) return `The audit trail is whole: ${read}.`;
  return `The audit trail is broken at row ${broken.seq} of chain ${broken.chain}. ${broken.why}\nRead: ${read}.`;
}
