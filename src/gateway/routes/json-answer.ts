import type { TurnRequest } from "../../agent/turn.ts";
import type { AnswerEvent } from "../answer-text.ts";

/** True where the client reads the answer as JSON, which nothing else may stand beside. */
function wantsJson({ parameters }: TurnRequest): boolean {
  const format: unknown = parameters.response_format;
  return typeof format === "object" && format !== null && "type" in format && format.type !== "text";
}

const isBlank = (text: string) => text.trim() === "";
const beginsJson = (text: string) => /^\s*[[{]/.test(text);

/**
 * What a step says before its calls ("Let me look.") is no part of the answer: prose waits until it is known that its
 * step has none. A text that begins as JSON does is told as it comes.
 */
async function* withoutAsides(events: AsyncIterable<AnswerEvent>): AsyncIterable<AnswerEvent> {
  let held: AnswerEvent[] = [];
  let isAnswer = false;
  for await (const event of events) {
    if (event.type === "text" && !isAnswer) {
      held.push(event);
      // Blanks may come before the first sign.
      if (held.slice(0, -1).every((each) => each.type === "text" && isBlank(each.text)))
        isAnswer = beginsJson(event.text);
      if (isAnswer) yield* held.splice(0);
      continue;
    }
    // The next step, or the same one told again from its start.
    const isOver = event.type === "status" && (event.code === "step" || event.code === "restarted");
    if (isOver) isAnswer = false;
    if (isOver || (event.type === "done" && event.clientCalls.length > 0)) held = [];
    if (event.type === "done") yield* held;
    yield event;
  }
}

/** The events of a turn as its client can read them: under a JSON format only its last step is told. */
export function readable(
  events: AsyncIterable<AnswerEvent>,
  request: TurnRequest,
): AsyncIterable<AnswerEvent> {
  // Without tools there is no other step, and nothing to wait for.
  return wantsJson(request) && request.toolsOn ? withoutAsides(events) : events;
}
