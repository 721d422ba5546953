import { readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { pathOf } from "../../linux/open-beneath.ts";
import { findPlace, type Grant, openBelow } from "../files/grant.ts";
import { explain, requireFile } from "../files/opened.ts";
import type { Programs } from "../processes/programs.ts";
import type { ResultTable } from "./result-table.ts";
import { SqliteAnswer, type SqliteRequest } from "./sqlite-request.ts";
import { sqliteWord } from "./sqlite-word.ts";

const mostOutput = 8_000_000;

/** How this very program is started again, and what has to be readable for that. */
function ownProgram(): { readonly argv: readonly string[]; readonly read: readonly string[] } {
  const self = process.execPath;
  if (Bun.main.startsWith("/$bunfs/")) return { argv: [self, sqliteWord], read: [self] };
  const project = join(import.meta.dir, "../../..");
  return { argv: [self, join(project, "src/main.ts"), sqliteWord], read: [self, project] };
}

const failed = (act: string, name: string, why: string) =>
  new AppError("bad_request", `Cannot ${act} ${name}: ${why}.`);

function readOutput(output: string, name: string, write: boolean): ResultTable {
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch (error) {
    throw new AppError("unavailable", `Cannot query ${name}: the reader of SQLite files failed.`, {
      cause: new Error(output.slice(0, 2000), { cause: error }),
    });
  }
  const answer = v.parse(SqliteAnswer, parsed);
  if (answer.ok) return answer.table;
  throw failed(write ? "change" : "query", name, answer.said);
}

/**
 * Runs one statement on an SQLite file that the grant holds, in a process of its own in the sandbox, which may touch
 * nothing but the folder of the file (SQLite keeps its journal beside it).
 */
export async function runOnFile(
  grant: Grant,
  programs: Programs,
  asked: { readonly path: string; readonly sql: string; readonly parameters: readonly string[] },
  signal: AbortSignal,
): Promise<ResultTable> {
  const write = grant.act === "write";
  const place = findPlace(grant, asked.path);
  const { name } = place;
  try {
    // Open until the end, so that its numbers cannot become those of another file.
    using opened = await openBelow(grant, place.root, place.inside, "inside", name);
    requireFile(opened.stat, name);
    const path = readlinkSync(pathOf(opened.fd));
    const request: SqliteRequest = {
      path,
      device: String(opened.stat.dev),
      inode: String(opened.stat.ino),
      sql: asked.sql,
      parameters: [...asked.parameters],
      write,
    };
    const { argv, read } = ownProgram();
    const folder = dirname(path);
    const end = await programs.run(
      {
        stages: [argv],
        cwd: folder,
        read: [folder, ...read],
        write: write ? [folder] : [],
        input: Buffer.from(JSON.stringify(request)),
      },
      { signal, maxOutputBytes: mostOutput },
    );
    if (end.limit === "memory") throw failed("query", name, "the statement takes too much memory");
    return readOutput(end.output, name, write);
  } catch (error) {
    throw explain(error, grant.act, name);
  }
}
