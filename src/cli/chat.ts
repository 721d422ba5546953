import { askApproval } from "./approve.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { connected } from "./connected.ts";
import { readLines } from "./lines.ts";
import { readArguments } from "./read-arguments.ts";
import { createScreen } from "./screen.ts";
import { takeTurn } from "./turn.ts";

/** A conversation with a running server, until `/exit`, the end of stdin or Ctrl-C at the prompt. */
export async function chat({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, { session: { type: "string" } });
  if (!read.ok || read.words.length > 0) {
    console.error(`openclaw chat: ${read.ok ? "It takes no text: type it at its prompt." : read.fault}`);
    return 2;
  }
  const sessionId = read.values.session ?? `cli-${crypto.randomUUID()}`;
  const screen = createScreen(false);
  return connected(startFolder, async (connection) => {
    let cancel: (() => void) | undefined;
    using lines = readLines(() => (cancel ? cancel() : lines[Symbol.dispose]()));
    screen.note(
      `Session ${sessionId}: openclaw chat --session ${sessionId} goes on with it. /help lists commands, /exit ends.`,
    );
    for (;;) {
      const text = await lines.ask("> ");
      if (text === undefined || /^\/(?:exit|quit)$/.test(text.trim())) return 0;
      if (text.trim() === "") continue;
      await takeTurn(connection, screen, {
        text,
        sessionId,
        approve: (question) => askApproval(question, lines, screen),
        onStart: (ends) => {
          cancel = ends;
        },
      });
      cancel = undefined;
    }
  });
}
