import type { Settings } from "../config/settings.ts";
import { readAuditKey } from "../store/audit-key.ts";
import { verifyAudit } from "../store/audit-verify.ts";
import type { Finding } from "./check.ts";
import { readDatabase } from "./read-database.ts";

/** Reads every row of the audit trail. */
export const inspectAudit = (settings: Settings["store"]) =>
  readDatabase(settings, async (tx): Promise<Finding> => {
    const key = settings.auditKey ?? readAuditKey(settings.dataDir);
    const { rows, chains, broken } = await verifyAudit({ read: (fn) => fn(tx) }, key);
    if (broken === undefined) return { state: "ok", text: `whole: ${rows} rows of ${chains} processes` };
    return {
      state: "fail",
      text: `broken at row ${broken.seq} of chain ${broken.chain}. ${broken.why}`,
      fix: "Find out who changed the database; openclaw audit verify tells the same.",
    };
  });
