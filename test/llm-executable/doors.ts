import * as v from "valibot";
import { connectEnvelopes, type EnvelopeClient } from "../helpers/envelope-client.ts";

/** How a turn ended, whichever door it went through. */
export interface Outcome {
  /** Absent on the socket. */
  readonly status?: number;
  readonly text: string;
  readonly finishReason?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Says something and waits for the end; throws when what comes breaks the protocol. */
export type Door = (text: string, model?: string) => Promise<Outcome>;

const Failure = v.object({ code: v.string(), message: v.string() });
const ErrorBody = v.object({ error: Failure });
const Choice = v.looseObject({ finish_reason: v.nullable(v.string()) });
const Completion = v.object({
  choices: v.tuple([v.intersect([Choice, v.object({ message: v.object({ content: v.string() }) })])]),
});
const Chunk = v.object({
  choices: v.tuple([
    v.intersect([Choice, v.object({ delta: v.object({ content: v.optional(v.string(), "") }) })]),
  ]),
});
const Part = v.object({ type: v.string(), text: v.string() });
const Item = v.object({ type: v.string(), content: v.optional(v.array(Part), []) });
const Response = v.object({
  status: v.string(),
  error: v.nullable(Failure),
  incomplete_details: v.nullable(v.object({ reason: v.string() })),
  output: v.array(Item),
});
const ResponseEvent = v.object({
  type: v.string(),
  sequence_number: v.number(),
  response: v.optional(Response),
  delta: v.optional(v.string(), ""),
});

const post = (url: string, body: object) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const refused = async (response: globalThis.Response): Promise<Outcome> => ({
  status: response.status,
  text: "",
  error: v.parse(ErrorBody, await response.json()).error,
});

/** The payloads of a stream that is whole: every event ends with a blank line. */
const payloadsOf = (stream: string): string[] =>
  stream.split("\n\n").flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? []);

const chatDoor =
  (url: string, stream: boolean): Door =>
  async (text, model) => {
    const messages = [{ role: "user", content: text }];
    const answer = await post(`${url}/v1/chat/completions`, { model, stream, messages });
    const { status } = answer;
    if (status !== 200) return refused(answer);
    if (!stream) {
      const { message, finish_reason } = v.parse(Completion, await answer.json()).choices[0];
      return { status, text: message.content, finishReason: finish_reason ?? "" };
    }
    const payloads = payloadsOf(await answer.text());
    const last = payloads.pop() ?? "";
    const chunks = payloads.map((payload) => v.parse(Chunk, JSON.parse(payload)).choices[0]);
    const said = chunks.map(({ delta }) => delta.content).join("");
    if (last === "[DONE]")
      return { status, text: said, finishReason: chunks.at(-1)?.finish_reason ?? "none" };
    return { status, text: said, error: v.parse(ErrorBody, JSON.parse(last)).error };
  };

const textOf = (response: v.InferOutput<typeof Response>) =>
  response.output
    .map(({ type, content }) => (type === "message" ? content.map((p) => p.text).join("") : ""))
    .join("");

/** The words that the two surfaces have for one thing. */
const reasonOf = ({ incomplete_details: details }: v.InferOutput<typeof Response>) =>
  details === null ? "stop" : details.reason === "max_output_tokens" ? "length" : details.reason;

const responsesDoor =
  (url: string, stream: boolean): Door =>
  async (input, model) => {
    const answer = await post(`${url}/v1/responses`, { model, stream, input });
    const { status } = answer;
    if (status !== 200) return refused(answer);
    if (!stream) {
      const whole = v.parse(Response, await answer.json());
      return { status, text: textOf(whole), finishReason: reasonOf(whole) };
    }
    const events = payloadsOf(await answer.text()).map((payload) =>
      v.parse(ResponseEvent, JSON.parse(payload)),
    );
    if (events.some(({ sequence_number }, at) => sequence_number !== at + 1))
      throw new Error(`The events are not numbered: ${events.map((each) => each.sequence_number).join(" ")}`);
    const { type, response } = events.at(-1) ?? {};
    if (type !== `response.${response?.status}`) throw new Error(`The last event is ${type}.`);
    const deltas = events.map((event) => (event.type === "response.output_text.delta" ? event.delta : ""));
    const text = deltas.join("");
    if (response?.error) return { status, text, error: response.error };
    if (!response || text !== textOf(response))
      throw new Error("The deltas are not the text of the response.");
    return { status, text, finishReason: reasonOf(response) };
  };

const Told = v.object({ code: v.string(), text: v.string() });
const Done = v.object({ finishReason: v.string() });
let sessions = 0;

/** Each turn is the first of a session of its own, which must then take another. */
const socketDoor =
  (client: EnvelopeClient): Door =>
  async (text, model) => {
    const sessionId = `doors-${sessions++}`;
    const say = async (said: string): Promise<Outcome> => {
      const messageId = `${sessionId}-${Bun.randomUUIDv7()}`;
      const mine = (envelope: object) =>
        "inReplyToMessageId" in envelope && envelope.inReplyToMessageId === messageId;
      client.send({ type: "user_message", sessionId, messageId, text: said });
      await client.next("typing_stop", mine);
      const heard = client.heard.filter(mine);
      // The socket tells where a step begins; paragraphs are its client's business.
      const steps = [""];
      for (const each of heard) {
        if (each.type === "status" && each.code === "step") steps.push("");
        if (each.type === "assistant_chunk" || each.type === "assistant_message")
          steps.push(`${steps.pop()}${each.text}`);
      }
      const told = steps.filter((step) => step !== "").join("\n\n");
      const failed = heard.find((each) => each.type === "error");
      if (failed) {
        const { code, text: message } = v.parse(Told, failed);
        return { text: told, error: { code, message } };
      }
      const done = heard.find((each) => each.type === "assistant_done");
      return { text: told, ...(done && { finishReason: v.parse(Done, done).finishReason }) };
    };
    if (model !== undefined) await say(`/model ${model}`);
    const outcome = await say(text);
    if (model !== undefined) await say("/model reset");
    const after = await say(good);
    if (after.text !== good) throw new Error(`The session is not usable: ${JSON.stringify(after)}`);
    return outcome;
  };

/** What is asked to see whether a server still answers; the model's script says it back. */
export const good = "Are you well?";

export interface Doors extends Disposable {
  readonly all: readonly (readonly [string, Door])[];
}

/** Every door of a server that takes a turn. */
export async function openDoors(url: string): Promise<Doors> {
  const client = await connectEnvelopes(url);
  return {
    all: [
      ["/v1/chat/completions", chatDoor(url, false)],
      ["/v1/chat/completions, streamed", chatDoor(url, true)],
      ["/v1/responses", responsesDoor(url, false)],
      ["/v1/responses, streamed", responsesDoor(url, true)],
      ["/ws", socketDoor(client)],
    ],
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Calls `act` for each item, at most so many at once; the results are in the order of the items. */
export async function eachAtOnce<T, R>(
  items: readonly T[],
  most: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const work = async () => {
    for (const [at, item] of left) results[at] = await act(item);
  };
  await Promise.all(Array.from({ length: most }, work));
  return results;
}
