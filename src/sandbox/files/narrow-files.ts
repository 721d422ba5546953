import { posix } from "node:path";
import { setImmediate } from "node:timers/promises";
import { log } from "../../telemetry/log.ts";
import type { Programs } from "../processes/programs.ts";
import type { LinePattern } from "./pattern.ts";
import { ripgrepPattern } from "./ripgrep-pattern.ts";
import { signsOfBinary } from "./file-kind.ts";

/** Files as they lie below a folder (`a/b.txt`), of which some are wanted. */
export interface Narrowing {
  /** Real path of a read root. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly pattern: LinePattern;
}

/**
 * Of some files, those that may have a line with a match and those that may be no text; undefined when that cannot be
 * told. To be sure of one, read it.
 */
export type NarrowFiles = (
  narrowing: Narrowing,
  signal: AbortSignal,
) => Promise<ReadonlySet<string> | undefined>;

/** Longer than that it takes no more time to read them all. */
const mostMs = 20_000;

const words = [
  "rg",
  // Nothing but what is said here: no settings, no ignore files, no other ways to read.
  ..."--no-config --no-ignore --hidden --max-depth=1 --no-mmap --color=never --encoding=none --threads=2".split(
    " ",
  ),
  ..."--text --files-with-matches --regexp".split(" "),
];

const bytesOf = (text: string) =>
  Array.from(text, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
// ripgrep looks in lines: what a sign has behind the end of one is left out.
const binary = signsOfBinary.map((sign) => bytesOf(sign.replace(/\n.*/s, ""))).join("|");

export interface RipgrepParts {
  /** What runs programs. Called when there is a first question, and ripgrep is there. */
  readonly programs: () => Promise<Pick<Programs, "run">>;
  /** Real paths of the read roots. */
  readonly read: readonly string[];
}

type Run = Programs["run"];

/** An argument list has room for so many, and bubblewrap takes no more than 9000 words. */
const mostFolders = 4000;
const mostCharacters = 500_000;

/** Lists of arguments that each fit into one call. */
function partsOf(folders: Iterable<string>): string[][] {
  const parts: string[][] = [[]];
  let room = mostCharacters;
  for (const folder of folders) {
    if (parts.at(-1)?.length === mostFolders || room < folder.length) {
      parts.push([]);
      room = mostCharacters;
    }
    room -= folder.length;
    parts.at(-1)?.push(folder);
  }
  return parts;
}

/** A name that a list of lines cannot hold, or that is no text. */
const isOdd = (file: string) => /[\n\ufffd]/.test(file);

async function ask(run: Run, read: readonly string[], asked: Narrowing, signal: AbortSignal) {
  const { folder, files } = asked;
  const wanted = ripgrepPattern(asked.pattern);
  if (wanted === undefined) return undefined;
  const found = new Set<string>();
  const folders = new Set<string>();
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    // They may be many: others get their turn in between.
    if (index % 256 === 255) await setImmediate();
    if (isOdd(file)) found.add(file);
    folders.add(`./${posix.dirname(file)}`);
    bytes += Buffer.byteLength(file) + 3;
  }
  for (const part of partsOf(folders)) {
    const stage = [...words, `(?-u:${wanted}|${binary})`, "--", ...part];
    const { exitCode, output, cutBytes } = await run(
      { stages: [stage], cwd: folder, read, write: [] },
      // Its beginning and its end are kept, and each must have room for all.
      { signal, maxOutputBytes: 2 * bytes + 65_536 },
    );
    // 0: found some; 1: none; 2: some could not be read. Others that say 1 give a reason.
    if (exitCode !== 0 && !(exitCode === 1 && output === "")) return undefined;
    if (cutBytes > 0) return undefined;
    for (const line of output.split("\n")) found.add(posix.normalize(line));
  }
  return found;
}

/**
 * Asks the host's ripgrep, in the sandbox of processes, one question after the other: each takes more than one processor.
 * It only says which files are worth reading, so what it sees or says decides about nothing that is shown.
 */
export function createNarrowFiles({ programs, read }: RipgrepParts): NarrowFiles {
  let last: Promise<unknown> = Promise.resolve();

  async function next(narrowing: Narrowing, signal: AbortSignal) {
    const { findProgram } = await import("../processes/host-sandbox.ts");
    if (signal.aborted || findProgram("rg") === undefined) return undefined;
    const { run } = await programs();
    return ask(run, read, narrowing, AbortSignal.any([signal, AbortSignal.timeout(mostMs)]));
  }

  return async (narrowing, signal) => {
    const mine = last.then(() => next(narrowing, signal));
    // Whatever came of it, the next one has its turn, and who waits hears of the end of his call at once.
    last = mine.catch(() => undefined);
    const stopped = Promise.withResolvers<undefined>();
    const stop = () => stopped.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([mine, stopped.promise]);
    } catch (error) {
      if (!signal.aborted) log.warn("ripgrep could not be asked; the search goes on without it.", { error });
      return undefined;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}
