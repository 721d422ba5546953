import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The flags and words of a command, or a sentence that says what is wrong with them. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    return { ok: true as const, values, words: positionals };
  } catch (error) {
    return {
      ok: false as const,
      fault: `${error instanceof Error ? error.message : error} See openclaw --help.`,
    };
  }
}
