import * as v from "valibot";
import { AppError } from "../errors.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const mostItems = 100;
const longestText = 2000;

const cut = (text: string) =>
  text.length <= longestText
    ? text
    : `${text.slice(0, longestText)} [cut: ${text.length - longestText} more characters]`;

const when = (ms: number) => new Date(ms).toISOString();

function needed(value: string | undefined, name: string, action: string): string {
  if (value !== undefined && value !== "") return value;
  throw new AppError("bad_request", `Cannot ${action}: the parameter ${name} is missing.`);
}

export const sessionsTool = defineTool({
  name: "sessions",
  description:
    "The other conversations of the person you work for: list them, read the newest messages of one, or say something in one (which starts work there and is not waited for).",
  needs: ["sessions"],
  effect: ({ action }) => (action === "send" ? "changes" : "reads"),
  input: v.object({
    action: v.pipe(v.picklist(["list", "history", "send"]), v.description("What to do.")),
    sessionId: v.optional(
      v.pipe(v.string(), v.maxLength(128), v.description("Id of a session; for history and send.")),
    ),
    message: v.optional(v.pipe(v.string(), v.maxLength(65_536), v.description("What to say; for send."))),
    limit: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(mostItems),
        v.description("Most sessions or messages to tell; 20 when left out."),
      ),
      20,
    ),
  }),
  async run({ action, sessionId, message, limit }, can) {
    if (action === "list") {
      const found = await can.sessions.list(limit);
      if (found.length === 0) return "There are no sessions.";
      return found
        .map(({ id, title, updatedAt }) => `${shown(id)} (${when(updatedAt)}): ${title || "(untitled)"}`)
        .join("\n");
    }
    const id = needed(sessionId, "sessionId", action);
    if (action === "send") {
      const { turnId } = await can.sessions.send(id, needed(message, "message", action));
      return `Sent to ${shown(id)} as turn ${turnId}. Its answer comes there: read it later with action=history.`;
    }
    const found = await can.sessions.history(id, limit);
    if (found.length === 0) return "(The session is empty.)";
    return found.map(({ role, text, at }) => `[${when(at)}] ${role}: ${cut(text)}`).join("\n");
  },
});
