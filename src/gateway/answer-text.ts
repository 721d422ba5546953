import type { TurnEvent } from "../agent/turn.ts";
import type { LoggedEvent } from "../turns/turns.ts";

/** What a turn tells, kept or not. */
export type AnswerEvent = TurnEvent | LoggedEvent;

/** Puts the text of a turn together: what the model says in several steps stands in paragraphs of its own. */
export interface AnswerText {
  /** Takes an event; returns what of it is new text for who reads along. */
  add(event: AnswerEvent): string;
  readonly text: string;
}

export function createAnswerText(): AnswerText {
  let text = "";
  let stepBegan = 0;
  return {
    add(event) {
      if (event.type === "status" && event.code === "step") stepBegan = text.length;
      // The step is told again from its start.
      if (event.type === "status" && event.code === "restarted") text = text.slice(0, stepBegan);
      if (event.type !== "text" && event.type !== "notice") return "";
      const isNewStep = text !== "" && text.length === stepBegan;
      const piece = isNewStep && !text.endsWith("\n") ? `\n\n${event.text}` : event.text;
      text += piece;
      return piece;
    },
    get text() {
      return text;
    },
  };
}
