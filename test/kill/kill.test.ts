import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type AuditReport, verifyAudit } from "../../src/store/audit-verify.ts";
import { openForReading } from "../../src/store/open-for-reading.ts";
import { runs } from "../helpers/long.ts";
import { postgresDatabase } from "../helpers/postgres.ts";
import { killRun } from "./run.ts";

const timeoutMs = runs(120_000, 900_000);

async function integrityOfSqlite(dataDir: string): Promise<string> {
  const database = new Database(join(dataDir, "openclaw.db"), { readonly: true });
  try {
    return JSON.stringify(database.query("PRAGMA integrity_check").values());
  } finally {
    database.close();
  }
}

/** The audit trail that all the processes have left. */
async function auditOf(dataDir: string, databaseUrl?: string): Promise<AuditReport> {
  const store = await openForReading({ dataDir, databaseUrl, databaseTimeoutMs: 10_000 });
  try {
    return await verifyAudit(store, undefined);
  } finally {
    store.close();
  }
}

test(
  "openclaw on SQLite loses, doubles and mixes up nothing when it is killed again and again in the middle of its work",
  async () => {
    const kills = runs(30, 200);
    let audit: AuditReport | undefined;
    const integrity = async (dataDir: string) => {
      audit = await auditOf(dataDir);
      return integrityOfSqlite(dataDir);
    };
    const report = await killRun({ kills, seed: 1, integrity });
    expect(report.problems).toEqual([]);
    expect(report.integrity).toBe('[["ok"]]');
    // Each kill left work behind, or the test has tested nothing.
    expect(report.messages).toBeGreaterThan(kills);
    expect(report.unknownOutcomes).toBeGreaterThan(0);
    expect(audit).toEqual({ chains: expect.any(Number), rows: expect.any(Number), swept: 0 });
    expect(audit?.rows).toBeGreaterThan(report.messages);
  },
  timeoutMs,
);

test(
  "openclaw on PostgreSQL loses, doubles and mixes up nothing when it is killed again and again in the middle of its work",
  async () => {
    const kills = runs(4, 200);
    await using database = await postgresDatabase();
    const shared = { databaseUrl: database.url, leaseSeconds: 1 };
    const report = await killRun({ kills, seed: 2, shared, integrity: async () => "ok" });
    const audit = await auditOf("", database.url);
    expect(audit).toEqual({ chains: expect.any(Number), rows: expect.any(Number), swept: 0 });
    expect(report.problems).toEqual([]);
    expect(report.messages).toBeGreaterThan(kills);
  },
  timeoutMs,
);
