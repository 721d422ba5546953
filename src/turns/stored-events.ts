import * as v from "valibot";
import type { EventRow } from "../store/events.ts";
import { after, type Cursor, cursorText, isLight, unitsOf } from "./cursor.ts";
import type { LoggedEvent, SessionEvent } from "./turns.ts";

/** Only this folder writes rows, but a row comes from a database all the same. */
const StoredEvents = v.array(v.looseObject({ type: v.string() }));
const readEvents = (json: string) => v.parse(StoredEvents, JSON.parse(json)) as unknown as LoggedEvent[];

/** What a crash may have taken of a text is not waited for behind these. */
const endsProse = (event: LoggedEvent) =>
  event.type === "done" || event.type === "failed" || (event.type === "status" && event.code === "restarted");

/** The events of a stored row as a client hears them who stands at `from`, and where it stands then. */
export function readRow(
  sessionId: string,
  stored: EventRow,
  from: Cursor,
): { heard: SessionEvent[]; next: Cursor } {
  const { turnId, messageId, seq } = stored;
  const name = { sessionId, turnId, ...(messageId !== undefined && { messageId }) };
  const events = readEvents(stored.json);
  const heard: SessionEvent[] = [];
  let { told } = from;
  let seen = 0;
  for (const [at, event] of events.entries()) {
    const units = unitsOf(event);
    const rest = isLight(event) ? after(event, Math.min(told, units)) : event;
    told = endsProse(event) ? 0 : Math.max(0, told - units);
    seen += units;
    const cursor = at === events.length - 1 ? { row: seq, told: 0 } : { row: from.row, told: seen };
    if (rest !== undefined) heard.push({ ...name, cursor: cursorText(cursor), event: rest });
  }
  return { heard, next: { row: seq, told } };
}
