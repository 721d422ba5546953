import { mutateBytes, mutateJson } from "../mutate.ts";
import { askWrongly, type Surface } from "../surface.ts";
import { bytesMarker, token } from "../target.ts";

const chunk = (choice: object, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }],
  ...more,
});
const call = (fields: object) => ({ delta: { tool_calls: [{ index: 0, ...fields }] } });
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

type Events = readonly [object, ...object[]];

/** What providers say, as the events of a stream. */
const streams: readonly [Events, ...Events[]] = [
  [
    chunk({ delta: { role: "assistant", content: "" } }),
    chunk({ delta: { content: "hello" } }),
    chunk({ finish_reason: "stop" }, { usage }),
  ],
  [
    chunk(call({ id: "c1", type: "function", function: { name: "time", arguments: "" } })),
    chunk(call({ function: { arguments: '{"zone":' } })),
    chunk(call({ function: { arguments: '"UTC"}' } })),
    chunk({ finish_reason: "tool_calls" }),
  ],
  [chunk({ delta: { reasoning_content: "hm", reasoning: "hm" } }), chunk({ finish_reason: "length" })],
  [{ error: { message: "overloaded", type: "server_error", code: 529 } }],
];
const whole = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
  usage,
};

const written = (events: readonly unknown[]) =>
  `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;

const streamed = 1;

/** What a provider answers, broken. The first byte says whether it was asked for a stream. */
export const sse: Surface = {
  name: "sse",
  atOnce: 2,
  make(random) {
    const isStream = random.chance(0.8);
    const begun = isStream ? random.pick(streams) : whole;
    const odd = random.chance(0.5) ? mutateJson(begun, random) : begun;
    const text = isStream ? written(Array.isArray(odd) ? odd : [odd]) : JSON.stringify(odd);
    const bytes =
      odd === begun || random.chance(0.3) ? mutateBytes(Buffer.from(text), random) : Buffer.from(text);
    return Buffer.concat([Buffer.from([isStream ? streamed : 0]), bytes]);
  },
  give(input, target) {
    const number = target.keepBytes(input.subarray(1));
    return askWrongly(target, "/v1/chat/completions", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        messages: [{ role: "user", content: `${bytesMarker}${number}` }],
        stream: input[0] === streamed,
      }),
    });
  },
};
