import type { Turn, TurnEvent } from "./turn.ts";

/** A slash command. Adding one is one entry in a list that `assemble` hands to the middleware. */
export interface Command {
  readonly name: string;
  /** What follows the name, for `/help`. */
  readonly usage?: string;
  readonly doc: string;
  /** `now`: answered on arrival, also while a turn of the session runs; `in_turn`: waits for its turn in the session. */
  readonly when: "now" | "in_turn";
  /** Answers with a text, or with the events of work that takes its time, the last of them a `notice`. */
  run(args: string, turn: Turn): Promise<string> | AsyncIterable<TurnEvent>;
}

/** The command that a text asks for; an unknown `/word` is text for the model. */
export function findCommand(
  commands: readonly Command[],
  text: string,
): { command: Command; args: string } | undefined {
  if (!text.startsWith("/")) return undefined;
  const [word = "", ...rest] = text.slice(1).trim().split(/\s+/);
  const command = commands.find((each) => each.name === word.toLowerCase());
  return command && { command, args: rest.join(" ") };
}

/** On the OpenAI surfaces text is text, and what an agent, a job or a machine says is no command of a person. */
const withoutCommands = ["openai", "sessions", "job", "webhook", "delegate"];

export const takesCommands = (channel: string) => !withoutCommands.includes(channel);

/** `/help`, over the list that it stands in. */
export const helpCommand = (commands: () => readonly Command[]): Command => ({
  name: "help",
  doc: "shows this list",
  when: "now",
  run: async () => {
    const lines = commands().map(({ name, usage, doc }) => `/${name}${usage ? ` ${usage}` : ""} - ${doc}`);
    return ["Available commands:", ...lines].join("\n");
  },
});
