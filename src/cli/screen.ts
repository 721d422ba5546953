import type { Envelope } from "./connection.ts";
import { isTerminal } from "./is-terminal.ts";

/** Where a turn is shown: the answer on stdout, all else on stderr. */
export interface Screen {
  show(envelope: Envelope): Promise<void>;
  note(text: string): void;
}

/** Text of a model without what would steer a terminal: control characters, but for line ends and tabs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
export const harmless = (text: string) =>
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");

/** A screen for people, or with `json` one envelope a line for programs. */
export const createScreen = (json: boolean): Screen => ({
  show: json ? (envelope) => print(`${JSON.stringify(envelope)}\n`) : showToPerson,
  note: (text) => console.error(harmless(text)),
});

async function showToPerson(envelope: Envelope) {
  if (envelope.type === "assistant_chunk") return print(forStdout(envelope.text));
  if (envelope.type === "assistant_message") return print(`${forStdout(envelope.text)}\n`);
  if (envelope.type === "assistant_done") return print("\n");
  const text = describe(envelope);
  if (text !== undefined && (isTerminal(2) || envelope.type === "error")) console.error(harmless(text));
}

/** A file or a program gets every byte as it came. */
const forStdout = (text: string) => (isTerminal(1) ? harmless(text) : text);

function describe(envelope: Envelope): string | undefined {
  switch (envelope.type) {
    case "error":
      return `Error: ${envelope.text}${envelope.code ? ` (${envelope.code})` : ""}`;
    case "status":
      return envelope.code === "step" ? undefined : `… ${envelope.text}`;
    case "tool_start":
      return `▸ ${envelope.toolName} ${envelope.argumentsPreview ?? ""}`;
    case "tool_result":
      return `  ${envelope.toolName}: ${envelope.resultStatus}, ${envelope.durationMs ?? "?"} ms`;
    default:
      return undefined;
  }
}

async function print(text: string) {
  try {
    await Bun.write(Bun.stdout, text);
  } catch {
    // The reader of a pipe went away: there is nobody left to show it to.
  }
}
