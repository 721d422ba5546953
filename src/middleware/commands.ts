import { type Command, findCommand, takesCommands } from "../agent/commands.ts";
import type { Middleware, Turn, TurnEvent } from "../agent/turn.ts";

async function* answer(command: Command, args: string, turn: Turn): AsyncIterable<TurnEvent> {
  const said = command.run(args, turn);
  if (Symbol.asyncIterator in said) yield* said;
  else yield { type: "notice", text: await said };
}

/**
 * Answers the slash commands of one kind. It stands in the pipeline twice: before the queue of the session for those
 * that are answered on arrival, behind it for those that change the session.
 */
export const commands =
  (list: readonly Command[], when: Command["when"]): Middleware =>
  (turn, next) => {
    const found = takesCommands(turn.channel) ? findCommand(list, turn.text) : undefined;
    return found?.command.when === when ? answer(found.command, found.args, turn) : next(turn);
  };
