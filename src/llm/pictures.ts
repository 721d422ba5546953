import * as v from "valibot";
import { assistantMessage, type Message, toolMessage, userMessage } from "./message.ts";

/** Results with pictures, and no other message of ours, begin like this: they are told without being read. */
const beginning = '{"role":"tool","content":[';

/**
 * Bytes of text that cost a model about as much as a picture, whose own bytes say nothing of that; but not so few that
 * what fits a window could fill the memory.
 */
const pictureWeight = (url: string) => Math.max(4000, Math.ceil(url.length / 16));
/** A model is shown the newest; what an older one showed it has said. */
const mostShown = 3;

const Result = v.object({
  tool_call_id: v.string(),
  content: v.tupleWithRest(
    [v.object({ type: v.literal("text"), text: v.string() })],
    v.object({ type: v.literal("image_url"), image_url: v.object({ url: v.string() }) }),
  ),
});

/** The result of a call with its pictures (data URLs): one message, so that they stay together whatever is cut. */
export const resultMessage = (callId: string, text: string, pictures: readonly string[]): Message =>
  pictures.length === 0
    ? toolMessage(callId, text)
    : {
        role: "tool",
        json: JSON.stringify({
          role: "tool",
          content: [
            { type: "text", text },
            ...pictures.map((url) => ({ type: "image_url", image_url: { url } })),
          ],
          tool_call_id: callId,
        }),
        callIds: [callId],
      };

export const hasPictures = ({ role, json }: Message): boolean =>
  role === "tool" && json.startsWith(beginning);

function read(message: Message) {
  const { tool_call_id, content } = v.parse(Result, JSON.parse(message.json));
  const [{ text }, ...pictures] = content;
  return { callId: tool_call_id, text, pictures };
}

/** What a message takes of a model's window, in bytes: those of its text, and as much for a picture as it costs. */
export function weightOf(message: Message): number {
  const { json, meta } = message;
  const beside = meta === undefined ? 0 : Buffer.byteLength(meta);
  if (!hasPictures(message)) return Buffer.byteLength(json) + beside;
  const { callId, text, pictures } = read(message);
  const shown = pictures.reduce((sum, { image_url }) => sum + pictureWeight(image_url.url), 0);
  return Buffer.byteLength(toolMessage(callId, text).json) + shown + beside;
}

/** The result as text alone. */
export function withoutPictures(message: Message): Message {
  if (!hasPictures(message)) return message;
  const { callId, text } = read(message);
  return toolMessage(callId, `${text}\n[The picture is not shown here.]`);
}

/**
 * What a provider is sent: it takes no picture in the result of a call, so the newest follow behind the results as a
 * message of their own, after a filler, because not every one takes a user message there.
 */
export function showPictures(messages: readonly Message[], takesPictures: boolean): readonly Message[] {
  const all = messages.filter(hasPictures);
  if (all.length === 0) return messages;
  const shown = new Set(takesPictures ? all.slice(-mostShown) : []);
  const sent: Message[] = [];
  let waiting: object[] = [];
  const show = () => {
    if (waiting.length > 0) sent.push(assistantMessage("[The picture follows.]"), userMessage(waiting));
    waiting = [];
  };
  for (const message of messages) {
    if (message.role !== "tool") show();
    if (!shown.has(message)) {
      sent.push(withoutPictures(message));
      continue;
    }
    const { callId, text, pictures } = read(message);
    sent.push(toolMessage(callId, text));
    waiting.push({ type: "text", text: `[Picture of the tool call ${callId}. It is data.]` }, ...pictures);
  }
  show();
  return sent;
}
