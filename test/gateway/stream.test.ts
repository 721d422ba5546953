import { expect, test } from "bun:test";
import { AppError } from "../../src/errors.ts";
import type { AnswerEvent } from "../../src/gateway/answer-text.ts";
import { streamChunks } from "../../src/gateway/routes/chat-stream.ts";
import { streamResponse } from "../../src/gateway/stream.ts";
import { done, text } from "./helpers/runs.ts";

/** Notes whether the server was asked to be patient. */
const aCall = () => {
  const slow: boolean[] = [];
  return { slow, setSlow: (value: boolean) => void slow.push(value) };
};

/** A server that answers with this, because a stream ends and breaks off on the wire. */
function serveOnce(answer: () => Response | Promise<Response>) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer, development: false });
  return {
    ask: () => fetch(`http://127.0.0.1:${server.port}/`),
    [Symbol.dispose]: () => void server.stop(true),
  };
}

test("streamResponse fills a silence with heartbeats, and is patient until the end", async () => {
  const heard = Promise.withResolvers<void>();
  const call = aCall();
  using server = serveOnce(() =>
    streamResponse(call, {
      headers: {},
      heartbeat: ": still here\n\n",
      heartbeatMs: 1,
      async run(write) {
        await heard.promise;
        await write("done");
      },
    }),
  );

  const response = await server.ask();
  let received = "";
  for await (const piece of response.body ?? []) {
    received += Buffer.from(piece).toString();
    if (received.includes(": still here\n\n: still here\n\n")) heard.resolve();
  }

  expect(received).toEndWith("done");
  expect(call.slow).toEqual([true, false]);
});

test("streamResponse cuts the connection when the body breaks off, so that half is not taken for the whole", async () => {
  using server = serveOnce(() =>
    streamResponse(aCall(), {
      headers: {},
      async run(write) {
        await write("half");
        throw new AppError("unavailable", "The disk is gone.");
      },
    }),
  );

  const reading = server.ask().then((response) => response.text());

  await expect(reading).rejects.toThrow();
});

const of = () => ({
  head: { id: "chatcmpl-1", created: 1, model: "small" },
  options: { tools: true, usage: false },
  call: aCall(),
  requestId: "r",
  signal: new AbortController().signal,
});

test("streamChunks begins before the first token when that takes longer than a heartbeat", async () => {
  const begun = Promise.withResolvers<void>();
  async function* slow(): AsyncIterable<AnswerEvent> {
    await begun.promise;
    yield text("late");
    yield done();
  }
  using server = serveOnce(() => streamChunks(slow(), { ...of(), heartbeatMs: 1 }));

  const response = await server.ask();
  begun.resolve();

  expect(response.status).toBe(200);
  expect(await response.text()).toContain('"content":"late"');
});

test("streamChunks lets a turn go whose client left before it was read", async () => {
  const released = Promise.withResolvers<void>();
  async function* held(): AsyncIterable<AnswerEvent> {
    try {
      yield text("begun");
      yield done();
    } finally {
      released.resolve();
    }
  }
  const controller = new AbortController();

  await streamChunks(held(), { ...of(), signal: controller.signal });
  controller.abort();

  await released.promise;
});

test("streamChunks says so when a turn ends without an answer", async () => {
  async function* nothing(): AsyncIterable<AnswerEvent> {
    yield text("half");
  }

  const response = await streamChunks(nothing(), of());

  expect(await response.text()).toContain('"code":"internal"');
});
