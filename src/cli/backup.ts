import { AppError } from "../errors.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { tellProgress } from "./progress.ts";
import { readArguments } from "./read-arguments.ts";
import { sqliteFolder } from "./sqlite-folder.ts";
import { resolve, join } from "node:path";
import { version } from "./version.ts";

/** `openclaw backup FILE`: 0 with a copy that was checked, 1 when none could be written, 2 for wrong words or settings. */
export async function backup({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, { force: { type: "boolean", default: false } });
  const [file, ...more] = read.ok ? read.words : [];
  if (!read.ok || file === undefined || more.length > 0) {
    console.error(`openclaw backup: ${read.ok ? "Say openclaw backup FILE [--force]." : read.fault}`);
    return 2;
  }
  const dataDir = sqliteFolder(startFolder, "backup", "pg_dump --format=custom");
  if (dataDir === undefined) return 2;
  const path = resolve(startFolder, file);
  try {
    const { existsSync } = await import("node:fs");
    const database = join(dataDir, "openclaw.db");
    if (!existsSync(database))
      throw new AppError("unavailable", `There is no database in ${dataDir} (OPENCLAW_DATA_DIR).`);
    const { readAuditKey } = await import("../store/audit-key.ts");
    const { writeBackup } = await import("../store/backup.ts");
    const facts = { openclaw: version, madeAt: new Date().toISOString(), auditKey: readAuditKey(dataDir) };
    const size = writeBackup({ database, path, force: read.values.force, facts, tell: tellProgress });
    console.log(
      `${path}: ${(size / 1e6).toFixed(1)} MB, checked. It holds conversations and the audit key: keep it private.`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(`openclaw backup: ${error.message}`);
    return 1;
  }
}
