/**
 * A deterministic OpenAI-compatible model without latency, for the bench: 20 tokens at once, or one every 5 ms with
 * the moment of sending in it when the model is named `paced`, or after a second when it is named `slow`. It first asks
 * for the calls that the question lists behind `Please call: `. Prints its port.
 */
const tokens = Array.from({ length: 20 }, (_, at) => `token${at} `);

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1,
    model: "bench",
    choices: [{ index: 0, delta, finish_reason: finish }],
  })}\n\n`;

const end = `${chunk({}, "stop")}data: ${JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1,
  model: "bench",
  choices: [],
  usage: { prompt_tokens: 50, completion_tokens: 20, total_tokens: 70 },
})}\n\ndata: [DONE]\n\n`;

const encode = new TextEncoder();
const pieces = [{ role: "assistant", content: "" }, ...tokens.map((content) => ({ content }))].map((delta) =>
  encode.encode(chunk(delta)),
);
pieces.push(encode.encode(end));

/** Each token is a write of its own, as a provider sends them; without a wait between them. */
const atOnce = () =>
  new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const piece of pieces) {
        controller.enqueue(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      controller.close();
    },
  });

const headers = { "content-type": "text/event-stream" };

/** Milliseconds since 1970 with their fraction: comparable between processes of one machine. */
const now = () => performance.timeOrigin + performance.now();

const paced = () =>
  new ReadableStream({
    async start(controller) {
      controller.enqueue(encode.encode(chunk({ role: "assistant", content: "" })));
      for (let at = 0; at < 50; at++) {
        await Bun.sleep(5);
        controller.enqueue(encode.encode(chunk({ content: `${now()} ` })));
      }
      controller.enqueue(encode.encode(end));
      controller.close();
    },
  });

const marker = "Please call: ";

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}
interface Call {
  readonly name: string;
  readonly arguments: object;
}

/** The calls that are asked for and not answered yet. */
function callsOf(body: string): readonly Call[] {
  if (!body.includes(marker)) return [];
  // What is measured sent both, by the bench's own words.
  const { messages } = JSON.parse(body) as Asked;
  const last = messages.at(-1);
  if (last?.role !== "user" || typeof last.content !== "string" || !last.content.startsWith(marker))
    return [];
  return JSON.parse(last.content.slice(marker.length)) as Call[];
}

/** The step in which it asks for them. */
function callStep(calls: readonly Call[]): string {
  const asked = calls.map((call, index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  return `${chunk({ role: "assistant", content: null, tool_calls: asked })}${chunk({}, "tool_calls")}data: [DONE]\n\n`;
}

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  routes: {
    "/v1/models": Response.json({ object: "list", data: [{ id: "bench" }, { id: "paced" }, { id: "slow" }] }),
    "/v1/chat/completions": async (request) => {
      const body = await request.text();
      if (body.includes('"model":"slow"')) await Bun.sleep(1000);
      const calls = callsOf(body);
      if (calls.length > 0) return new Response(callStep(calls), { headers });
      return new Response(body.includes('"model":"paced"') ? paced() : atOnce(), { headers });
    },
  },
});
console.log(server.port);
