import { createInterface } from "node:readline";

/** Lines of stdin, asked for one at a time; what is typed or piped ahead is kept. */
export interface Lines extends Disposable {
  /** The next line, or nothing when stdin has ended. */
  ask(prompt: string): Promise<string | undefined>;
}

/** Opens stdin; `onInterrupt` is called for Ctrl-C. */
export function readLines(onInterrupt: () => void): Lines {
  const reader = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: process.stdin.isTTY === true,
  });
  const ahead: string[] = [];
  let ended = false;
  let wake = () => {};
  reader.on("line", (line) => {
    ahead.push(line);
    wake();
  });
  reader.on("close", () => {
    ended = true;
    wake();
  });
  reader.on("SIGINT", onInterrupt);
  return {
    async ask(prompt) {
      reader.setPrompt(prompt);
      if (process.stdin.isTTY) reader.prompt();
      while (ahead.length === 0 && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return ahead.shift();
    },
    [Symbol.dispose]: () => reader.close(),
  };
}
