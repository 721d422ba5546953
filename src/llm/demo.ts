import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { parseJson, readList, readObject, readText } from "./foreign-json.ts";
import { estimateTokens } from "./usage.ts";

const Request = v.object({
  messages: v.array(
    v.object({
      role: v.string(),
      content: v.optional(v.unknown()),
      tool_calls: v.optional(v.array(v.unknown()), []),
    }),
  ),
  tools: v.optional(v.array(v.object({ function: v.object({ name: v.string() }) })), []),
  tool_choice: v.optional(v.unknown()),
});
type Request = v.InferOutput<typeof Request>;

/** What the script does next: says something, word by word, or asks for a tool. */
interface Reply {
  readonly words: readonly string[];
  readonly waitMs?: number;
  readonly call?: { readonly name: string; readonly arguments: string };
}

const countWaitMs = 200;
const maxQuoted = 500;

const signature =
  "\n\n(This is the offline demo model, a script. For a real one set MODEL_PROVIDER_KEY, or MODEL_PROVIDER=ollama, or MODEL_PROVIDER_ENDPOINT, and start again.)";

const help =
  "Hello. I only know a few tricks: ask me what time it is and I call a tool, ask me to write something and I ask for a file to be written, or tell me to count and I do it slowly.";

/**
 * The demo model as the server that the client talks to, without a socket: OpenAI's `/models` and streamed
 * `/chat/completions`. The pace of slow answers is `waitMs` between two words.
 */
export async function answerAsDemo(url: string, init: RequestInit, waitMs = countWaitMs): Promise<Response> {
  init.signal?.throwIfAborted();
  if (new URL(url).pathname.endsWith("/models"))
    return Response.json({ object: "list", data: [{ id: "demo" }] });
  const request = v.safeParse(Request, parseJson(readText(init.body)));
  if (!request.success)
    return Response.json({ error: { message: v.summarize(request.issues) } }, { status: 400 });
  const reply = decide(request.output, waitMs);
  const usage = {
    prompt_tokens: estimateTokens(readText(init.body).length),
    completion_tokens: estimateTokens(reply.words.join("").length + (reply.call?.arguments.length ?? 0)),
  };
  return new Response(stream(reply, usage, init.signal ?? undefined), {
    headers: { "content-type": "text/event-stream" },
  });
}

function decide(request: Request, waitMs: number): Reply {
  const text = lastText(request, "user").toLowerCase();
  const results = resultsOfThisTurn(request);
  if (/\bcount\b/.test(text) && request.messages.at(-1)?.role === "user") return count(waitMs);
  if (results.length > 0) return say(`The tool answered: ${results.join(" · ").slice(0, maxQuoted)}`);
  if (/\btime\b/.test(text)) {
    return ask(request, "time", {}) ?? say("I would call the tool `time`, but it is not offered to me.");
  }
  if (/\bwrite\b/.test(text)) {
    return (
      ask(request, "write_file", { path: "demo.txt", content: `${lastText(request, "user")}\n` }) ??
      say(
        "I would call the tool `write_file`, but it is not offered to me: set OPENCLAW_WORKSPACE and OPENCLAW_ALLOWED_WRITE_ROOTS=. and start again.",
      )
    );
  }
  return say(help);
}

const say = (text: string): Reply => ({ words: `${text}${signature}`.split(/(?<=\s)/) });

const count = (waitMs: number): Reply => ({
  words: [...Array.from({ length: 10 }, (_, at) => `${at + 1} `), ...say("").words],
  waitMs,
});

function ask({ tools, tool_choice }: Request, name: string, input: object): Reply | undefined {
  if (tool_choice === "none" || !tools.some((tool) => tool.function.name === name)) return undefined;
  return { words: [`I call the tool \`${name}\`.`], call: { name, arguments: JSON.stringify(input) } };
}

/**
 * What tools answered since the last answer without calls. Not since the last user message: some clients put one
 * after each tool result.
 */
function resultsOfThisTurn({ messages }: Request): string[] {
  const answered = messages.findLastIndex(
    (message) => message.role === "assistant" && message.tool_calls.length === 0,
  );
  return messages
    .slice(answered + 1)
    .filter((message) => message.role === "tool")
    .map((message) => textOf(message.content));
}

const lastText = ({ messages }: Request, role: string) =>
  textOf(messages.findLast((message) => message.role === role)?.content);

const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : readList(content)
        .map((part) => readText(readObject(part)?.text))
        .join(" ");

function stream(
  { words, waitMs = 0, call }: Reply,
  usage: object,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  async function* events() {
    const chunk = (fields: object) =>
      encoder.encode(
        `data: ${JSON.stringify({ object: "chat.completion.chunk", model: "demo", ...fields })}\n\n`,
      );
    const delta = (delta: object, finish_reason: string | null = null) =>
      chunk({ choices: [{ index: 0, delta, finish_reason }] });
    for (const content of words) {
      yield delta({ content });
      if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    }
    if (call) {
      const id = `call_${crypto.randomUUID().replaceAll("-", "")}`;
      yield delta({ tool_calls: [{ index: 0, id, type: "function", function: call }] });
    }
    yield delta({}, call ? "tool_calls" : "stop");
    yield chunk({ choices: [], usage });
    yield encoder.encode("data: [DONE]\n\n");
  }
  const source = events();
  return new ReadableStream({
    async pull(controller) {
      if (signal?.aborted) return controller.error(signal.reason);
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await source.return();
    },
  });
}
