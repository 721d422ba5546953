import { expect, test } from "bun:test";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { startExecutable, temporaryFolder } from "./helpers/executable.ts";
import { type ChatBody, type Step, scriptedModel } from "./helpers/model-server.ts";

const token = "an-operators-token";
const isSummary = ({ messages }: ChatBody) => String(messages.at(-1)?.content).startsWith("<transcript>");

/** Says how many messages it was sent, or writes a short summary. */
const answer = (body: ChatBody): Step =>
  isSummary(body) ? { text: ["The person ", "counts."] } : { text: [`Heard ${body.messages.length}.`] };

test("a long session is summed up in front of a client, by itself and by /compact, and goes on from there after a restart", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel(answer);
  const env = {
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: folder.path,
    OPENCLAW_CONTEXT_TOKENS: "4000",
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  };
  const sessionId = "long";
  const say = async (client: Awaited<ReturnType<typeof connectEnvelopes>>, text: string) => {
    const messageId = text.slice(0, 12);
    client.send({ type: "user_message", text, messageId, sessionId });
    return client.next("assistant_done", (done) => done.inReplyToMessageId === messageId);
  };
  const summaries = () => model.requests.filter(({ body }) => isSummary(body)).length;
  {
    await using server = await startExecutable(env);
    using client = await connectEnvelopes(server.url, token);
    for (let n = 0; summaries() === 0 && n < 30; n++) await say(client, `${n}th: ${"count ".repeat(150)}`);

    expect(await client.next("status", (status) => status.code === "compacting")).toBeDefined();
    const next = model.requests.at(-1)?.body.messages ?? [];
    expect(next[1]?.content).toStartWith("0th: count");
    expect(next[1]?.content).toContain("The person counts.");

    await say(client, "and one more");
    client.send({ type: "user_message", text: "/compact", messageId: "c", sessionId });
    const done = await client.next("assistant_message", (message) => message.inReplyToMessageId === "c");
    expect(done.text).toStartWith("Compacted: a summary of");
    expect(summaries()).toBe(2);

    // The provider's own count: 10 in, and a token out for each piece of text.
    const pieces = model.requests.reduce((sum, { body }) => sum + (isSummary(body) ? 2 : 1), 0);
    client.send({ type: "user_message", text: "/usage", messageId: "u", sessionId });
    const usage = await client.next("assistant_message", (message) => message.inReplyToMessageId === "u");
    expect(usage.text).toContain(`(input ${10 * model.requests.length}, output ${pieces})`);
    expect(await server.stop()).toBe(0);
  }
  await using server = await startExecutable(env);
  using client = await connectEnvelopes(server.url, token);
  await say(client, "after restart");
  const last = model.requests.at(-1)?.body.messages ?? [];
  expect(JSON.stringify(last)).toContain("The person counts.");
  expect(last.length).toBeLessThan(10);
}, 60_000);
