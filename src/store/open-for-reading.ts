import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../errors.ts";
import { openConnection } from "./connection.ts";
import { asFault } from "./faults.ts";
import type { Store } from "./open.ts";

export interface ReadOnlyStore extends Pick<Store, "read"> {
  close(): void;
}

export interface ReadOnlyOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
  readonly databaseTimeoutMs: number;
}

/** Opens a database beside the server that uses it, without taking the data folder. Throws `unavailable` or `not_found`. */
export async function openForReading(options: ReadOnlyOptions): Promise<ReadOnlyStore> {
  const { dataDir, databaseUrl, databaseTimeoutMs: timeoutMs } = options;
  if (databaseUrl !== undefined) {
    const { openPostgresForReading } = await import("./postgres/open.ts");
    return openPostgresForReading({ databaseUrl, timeoutMs });
  }
  const path = join(dataDir, "openclaw.db");
  if (!existsSync(path))
    throw new AppError("not_found", `There is no database in ${dataDir} (OPENCLAW_DATA_DIR).`);
  try {
    const { tx, close } = openConnection(path, "read");
    return { read: (fn) => fn(tx), close };
  } catch (error) {
    throw asFault(error);
  }
}
