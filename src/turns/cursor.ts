import { AppError } from "../errors.ts";
import type { LoggedEvent } from "./turns.ts";

/**
 * A place in a session's log: the last stored row, and how much of what followed it had been told before it was
 * stored. On the wire it is `<row>` or `<row>.<told>`.
 */
export interface Cursor {
  readonly row: number;
  /** Characters of text, and one for every other light event. */
  readonly told: number;
}

const cursorShape = /^\d{1,15}(\.\d{1,15})?$/;

export const cursorText = ({ row, told }: Cursor) => (told === 0 ? `${row}` : `${row}.${told}`);

/** Throws `bad_request` for a text that no event carried. */
export function readCursor(text: string): Cursor {
  if (!cursorShape.test(text)) {
    throw new AppError(
      "bad_request",
      `"${text.slice(0, 40)}" is no cursor: use one that an event of this session carried.`,
      {
        param: "after",
      },
    );
  }
  const [row = "0", told = "0"] = text.split(".");
  return { row: Number(row), told: Number(told) };
}

/**
 * Light events are told before they are stored (a killed process may lose the last of them); every other event is on
 * disk before anybody hears of it.
 */
export const isLight = (event: LoggedEvent) =>
  event.type === "text" ||
  event.type === "reasoning" ||
  event.type === "started" ||
  event.type === "tool_start" ||
  event.type === "tool_chunk" ||
  (event.type === "status" && event.code !== "restarted");

export const isProse = (event: LoggedEvent) => event.type === "text" || event.type === "reasoning";

/** What an event counts in `told`. */
export const unitsOf = (event: LoggedEvent) =>
  event.type === "text" || event.type === "reasoning" ? event.text.length : isLight(event) ? 1 : 0;

/** An event without the first `units` of it; undefined when nothing is left to tell. */
export function after(event: LoggedEvent, units: number): LoggedEvent | undefined {
  if (units === 0) return event;
  if ((event.type === "text" || event.type === "reasoning") && units < event.text.length) {
    return { ...event, text: event.text.slice(units) };
  }
  return undefined;
}

/** Pieces of one text that follow each other, as one. */
export function joinProse(events: readonly LoggedEvent[]): LoggedEvent[] {
  const all: LoggedEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (
      last !== undefined &&
      isProse(event) &&
      last.type === event.type &&
      "text" in last &&
      "text" in event
    ) {
      all[all.length - 1] = { ...last, text: last.text + event.text } as LoggedEvent;
    } else all.push(event);
  }
  return all;
}
