import type { Envelope } from "./connection.ts";
import type { Lines } from "./lines.ts";
import type { Screen } from "./screen.ts";

/** What a person answered; the server knows what a scope that is left out means. */
export interface Answer {
  readonly approved: boolean;
  readonly note?: string;
  readonly scope?: "session" | "always";
}

/** Shows what a tool wants to do and asks a person; only yes is yes, and any other text is a note for the model. */
export async function askApproval(question: Envelope, lines: Lines, screen: Screen): Promise<Answer> {
  screen.note(
    `\nApproval: ${question.toolName} wants to run${question.reason ? ` (${question.reason})` : ""}.`,
  );
  screen.note(question.argumentsPreview ?? "");
  const { toolName, pattern } = question;
  const calls = pattern === undefined ? "exactly this call" : `${toolName} ${pattern}`;
  screen.note(`s allows ${calls} for this session, a always.`);
  const answer = (await lines.ask("Allow it? y, s, a, n, or why not: "))?.trim() ?? "";
  if (/^(?:y|yes)$/i.test(answer)) return { approved: true };
  if (/^(?:s|session)$/i.test(answer)) return { approved: true, scope: "session" };
  if (/^(?:a|always)$/i.test(answer)) return { approved: true, scope: "always" };
  return { approved: false, ...(!/^(?:|n|no)$/i.test(answer) && { note: answer }) };
}
