import { readFileSync } from "node:fs";
import { memoryLimit, memoryMarkOf } from "../config/host-memory.ts";
import type { Settings } from "../config/settings.ts";
import { migrations } from "../store/migrations.ts";
import type { Finding } from "./check.ts";

/** What runs here. */
export async function inspectVersions(version: string): Promise<Finding> {
  const { Database } = await import("bun:sqlite");
  using database = new Database(":memory:");
  const [row] = database.prepare("SELECT sqlite_version()").values();
  const parts = [
    `openclaw ${version}`,
    `Bun ${Bun.version}`,
    `SQLite ${row?.[0]}`,
    `schema ${migrations.length}`,
  ];
  return { state: "ok", text: `${parts.join(", ")}, ${process.platform} ${process.arch}` };
}

const mega = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
const leastBytes = 256 * 1024 * 1024;

/** Memory that there is, and from where on no turn begins. */
export function inspectMemory({ middleware }: Settings): Finding {
  const limit = memoryLimit();
  const mark = memoryMarkOf(middleware);
  const shown = mark === Number.POSITIVE_INFINITY ? "no mark" : `no turn begins beyond ${mega(mark)}`;
  const text = `${limit === Number.POSITIVE_INFINITY ? "no limit is known" : `${mega(limit)} may be used`}; ${shown}; ${mega(process.memoryUsage.rss())} in this process`;
  if (Math.min(limit, mark) >= leastBytes) return { state: "ok", text };
  return {
    state: "warn",
    text,
    fix: "Give it at least 256 MB, and a mark below that: OPENCLAW_MEMORY_MARK_BYTES.",
  };
}

/** What a server needs beside its connections. */
const otherFiles = 200;

/** How many files, sockets among them, this process may have open. */
export function inspectOpenFiles(
  { gateway }: Settings,
  limits = readFileSync("/proc/self/limits", "utf8"),
): Finding {
  const [, soft = "unlimited"] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  const most = soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  const text = `${soft} may be open at once`;
  if (most >= gateway.maxConnections + otherFiles) return { state: "ok", text };
  return {
    state: "warn",
    text: `${text}, and OPENCLAW_MAX_CONNECTIONS is ${gateway.maxConnections}`,
    fix: "Raise the limit (LimitNOFILE= in the unit, ulimit -n), or lower OPENCLAW_MAX_CONNECTIONS.",
  };
}
