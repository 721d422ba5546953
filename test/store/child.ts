import { join } from "node:path";

const script = join(import.meta.dir, "append-much.ts");

/** Starts `append-much.ts`; `before` are words that stand before the command. */
export function startAppending(folder: string, writers: number, before: readonly string[] = []) {
  const child = Bun.spawn([...before, process.execPath, script, folder, `${writers}`], {
    stdout: "pipe",
    stderr: "inherit",
    // It would write for ever if it were never refused.
    timeout: 15_000,
    killSignal: "SIGKILL",
  });
  return { child, lines: linesOf(child.stdout) };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    // What is cut in the middle was never read as acknowledged.
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
