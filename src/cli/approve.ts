import type { Envelope } from "./connection.ts";
import type { Lines } from "./lines.ts";
import type { Screen } from "./screen.ts";

/** Shows what a tool wants to do and asks a person; only yes is yes, and any other text is a note for the model. */
export async function askApproval(question: Envelope, lines: Lines, screen: Screen) {
  screen.note(
    `\nApproval: ${question.toolName} wants to run${question.reason ? ` (${question.reason})` : ""}.`,
  );
  screen.note(question.argumentsPreview ?? "");
  const answer = (await lines.ask("Allow it? y, n, or why not: "))?.trim() ?? "";
  if (/^(?:y|yes)$/i.test(answer)) return { approved: true };
  return { approved: false, ...(!/^(?:|n|no)$/i.test(answer) && { note: answer }) };
}
