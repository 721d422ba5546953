import { nearest } from "../config/nearest.ts";
import { bypassProxyForLoopback } from "../config/environment.ts";
import { javaScriptWord } from "../sandbox/code/javascript-word.ts";
import { sqliteWord } from "../sandbox/databases/sqlite-word.ts";
import type { ExitCode } from "./command.ts";
import { commands } from "./commands.ts";
import { compileHotCode } from "./compile-hot-code.ts";

/** Runs the command that the arguments name. Throws only what no command expects. */
export async function runCommand(argv: readonly string[], startFolder: string): Promise<ExitCode> {
  bypassProxyForLoopback();
  const [word = "serve", ...args] = argv;
  // The server does so once it listens.
  if (word !== "serve") compileHotCode();
  if (word === javaScriptWord)
    return (await import("../sandbox/code/javascript-program.ts")).runJavaScriptProgram();
  if (word === sqliteWord) return (await import("../sandbox/databases/sqlite-program.ts")).runSqliteProgram();
  const command = commands.find(({ words }) => words.includes(word));
  if (command) return (await command.load())({ args, startFolder, commands });
  const meant = nearest(
    word,
    commands.flatMap(({ words }) => words),
  );
  console.error(
    `openclaw: there is no command ${word}${meant ? `; did you mean ${meant}?` : "."} See openclaw --help.`,
  );
  return 2;
}
