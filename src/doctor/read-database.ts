import * as v from "valibot";
import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { first, int } from "../store/columns.ts";
import { migrations } from "../store/migrations.ts";
import { openForReading } from "../store/open-for-reading.ts";
import type { Tx } from "../store/tx.ts";
import type { Finding } from "./check.ts";

const Version = v.object({ version: int });

/** How many migrations a database has. */
export async function versionOf(tx: Tx): Promise<number> {
  return first(Version, await tx`SELECT version FROM schema_version`)?.version ?? 0;
}

/**
 * Looks into the database beside the server that uses it. One that is not there, or not of this version, has nothing to
 * be looked at yet; `anyVersion`: it has.
 */
export async function readDatabase(
  settings: Settings["store"],
  look: (tx: Tx) => Promise<Finding>,
  { anyVersion = false }: { anyVersion?: boolean } = {},
): Promise<Finding> {
  const store = await openForReading(settings).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") return undefined;
    throw error;
  });
  if (store === undefined) return { state: "ok", text: "there is no database yet" };
  try {
    return await store.read(async (tx) => {
      const version = await versionOf(tx);
      if (version === migrations.length || anyVersion) return look(tx);
      return { state: "ok", text: `not looked at: the database has version ${version}` };
    });
  } finally {
    store.close();
  }
}
