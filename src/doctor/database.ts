import type { Settings } from "../config/settings.ts";
import { migrations } from "../store/migrations.ts";
import type { Finding } from "./check.ts";
import { readDatabase, versionOf } from "./read-database.ts";

/** Is the database of a version that can be used, and whole? `whole`: every page of it is read, which takes its time. */
export const inspectDatabase = (settings: Settings["store"], { whole }: { whole: boolean }) =>
  readDatabase(
    settings,
    async (tx): Promise<Finding> => {
      const version = await versionOf(tx);
      const newest = migrations.length;
      if (version > newest)
        return {
          state: "fail",
          text: `The database has version ${version}, and this openclaw knows version ${newest} at most.`,
          fix: "Start the newer openclaw that wrote it, or restore a backup from before: openclaw restore FILE.",
        };
      const age =
        version === newest
          ? `version ${version}`
          : `version ${version}: the next start brings it to ${newest}`;
      if (tx.dialect.name !== "sqlite") return { state: "ok", text: `PostgreSQL, ${age}` };
      if (!whole)
        return { state: "ok", text: `SQLite, ${age}; whether it is whole, openclaw --doctor tells` };
      const [row] = await tx`PRAGMA quick_check(1)`;
      const found = String(Object.values(row ?? {})[0] ?? "no answer");
      if (found === "ok") return { state: "ok", text: `SQLite, ${age}, whole` };
      return {
        state: "fail",
        text: `The database is damaged: ${found.slice(0, 200)}.`,
        fix: "Stop the server, and put a backup back: openclaw restore FILE.",
      };
    },
    { anyVersion: true },
  );
