import { resolve } from "node:path";
import { AppError } from "../errors.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { tellProgress } from "./progress.ts";
import { readArguments } from "./read-arguments.ts";
import { sqliteFolder } from "./sqlite-folder.ts";

/** `openclaw restore FILE`: 0 when it was put back, 1 when nothing was changed, 2 for wrong words or settings. */
export async function restore({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, {});
  const [file, ...more] = read.ok ? read.words : [];
  if (!read.ok || file === undefined || more.length > 0) {
    console.error(`openclaw restore: ${read.ok ? "Say openclaw restore FILE." : read.fault}`);
    return 2;
  }
  const dataDir = sqliteFolder(startFolder, "restore", "pg_restore");
  if (dataDir === undefined) return 2;
  try {
    const { restoreBackup } = await import("../store/restore.ts");
    const done = await restoreBackup({ path: resolve(startFolder, file), dataDir, tell: tellProgress });
    const { madeAt, keptAt, version, newest } = done;
    const lines = [
      `The database of ${dataDir} is the one of ${madeAt ?? file}.`,
      ...(keptAt === undefined ? [] : [`What was there is kept as ${keptAt}.`]),
      ...(version < newest ? [`It has version ${version}: the next start brings it to ${newest}.`] : []),
      "What was under way when the backup was made goes on at the next start; messages that were sent since may be sent again.",
    ];
    console.log(lines.join("\n"));
    return 0;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(`openclaw restore changed nothing. ${error.message}`);
    return 1;
  }
}
