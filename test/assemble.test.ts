import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { startExecutable, temporaryFolder } from "./helpers/executable.ts";
import { type ChatBody, type Step, scriptedModel } from "./helpers/model-server.ts";

const token = "an-operators-token";

/** What the model is asked next: the last message of the request, by its role. */
const last = (body: ChatBody) => body.messages.at(-1);

async function workspaceWith(files: Record<string, string>) {
  const folder = await temporaryFolder();
  const workspace = join(folder.path, "workspace");
  await mkdir(workspace);
  for (const [name, text] of Object.entries(files)) await Bun.write(join(workspace, name), text);
  const env = {
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_WORKSPACE: workspace,
    OPENCLAW_ALLOWED_READ_ROOTS: ".",
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  };
  return { folder, workspace, env };
}

/** Reads the file it is asked about, writes one when told to, else says what it remembers. */
function assistant(body: ChatBody): Step {
  const asked = String(last(body)?.content ?? "");
  if (last(body)?.role === "tool") {
    return {
      text: asked.includes("tides") ? ["It ", "is ", "about ", "tides."] : ["Done: ", asked.slice(0, 60)],
    };
  }
  if (asked.includes("summary")) return { calls: [{ name: "read_file", arguments: { path: "notes.md" } }] };
  if (asked.includes("write"))
    return { calls: [{ name: "write_file", arguments: { path: "new.md", content: "hello" } }] };
  const said = body.messages.filter((message) => message.role === "user").length;
  return { text: [`I heard ${said} of your messages.`] };
}

test("a client over /ws asks for a summary of a file, hears it token by token, and finds the session after a restart", async () => {
  const { folder, env } = await workspaceWith({ "notes.md": "All about tides.\n" });
  await using _ = folder;
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  await using model = scriptedModel((body) => {
    const step = assistant(body);
    return Array.isArray(step.text) && step.text.length === 4
      ? { ...step, gate: (at) => gates[at]?.promise }
      : step;
  });
  const all = { ...env, MODEL_PROVIDER_ENDPOINT: model.url, MODEL_PROVIDER_MODEL: "scripted" };
  const sessionId = "my-session";
  {
    await using server = await startExecutable(all);
    using client = await connectEnvelopes(server.url, token);
    client.send({ type: "user_message", text: "a summary of notes.md", messageId: "m1", sessionId });

    expect(await client.next("accepted")).toMatchObject({ inReplyToMessageId: "m1", sessionId });
    await client.next("typing_start");
    expect(await client.next("tool_start")).toMatchObject({ toolName: "read_file", text: "read_file" });
    expect(await client.next("tool_result")).toMatchObject({ resultStatus: "ok", toolName: "read_file" });
    // Each token comes although the next one is not there yet: this is a stream.
    const tokens: unknown[] = [];
    for (const gate of gates) {
      gate.resolve();
      tokens.push((await client.next("assistant_chunk")).text);
    }
    expect(tokens).toEqual(["It ", "is ", "about ", "tides."]);
    expect(await client.next("assistant_done")).toMatchObject({ inReplyToMessageId: "m1" });
    await client.next("typing_stop");
    expect(client.heard.map((envelope) => envelope.type).filter((type) => type !== "status")).toEqual([
      "accepted",
      "typing_start",
      "tool_start",
      "tool_result",
      ...gates.map(() => "assistant_chunk"),
      "assistant_done",
      "typing_stop",
    ]);
    expect(await server.stop()).toBe(0);
  }
  await using again = await startExecutable(all);
  using client = await connectEnvelopes(again.url, token);
  client.send({ type: "user_message", text: "and what did I ask?", messageId: "m2", sessionId });

  expect(await client.next("assistant_chunk")).toMatchObject({ text: "I heard 2 of your messages." });
  client.send({ type: "user_message", text: "a summary of notes.md", messageId: "m1", sessionId });
  expect(await client.next("assistant_done", (done) => done.inReplyToMessageId === "m1")).toBeDefined();
  expect(model.requests.length).toBe(3);
}, 60_000);

test("a client over /ws is asked before a file is written, and no file is written before it says so", async () => {
  const { folder, workspace, env } = await workspaceWith({});
  await using _ = folder;
  await using model = scriptedModel(assistant);
  await using server = await startExecutable({ ...env, MODEL_PROVIDER_ENDPOINT: model.url });
  using client = await connectEnvelopes(server.url, token);
  // A new one each time: it remembers what it saw.
  const file = () => Bun.file(join(workspace, "new.md"));

  client.send({ type: "user_message", text: "write a file", messageId: "m1" });
  const asked = await client.next("tool_approval_required");
  expect(asked).toMatchObject({ text: "Tool approval required.", toolName: "write_file" });
  expect(asked.approvalId).toMatch(/^apr_[0-9a-f]{16}$/);
  expect(await file().exists()).toBe(false);
  client.send({
    type: "tool_approval_decision",
    approvalId: asked.approvalId,
    approved: false,
    note: "not there",
  });
  expect(await client.next("tool_result")).toMatchObject({ resultStatus: "denied" });
  await client.next("assistant_done");
  expect(await file().exists()).toBe(false);

  client.send({ type: "user_message", text: "write it after all", messageId: "m2" });
  const again = await client.next("tool_approval_required");
  client.send({ type: "tool_approval_decision", approvalId: again.approvalId, approved: true });
  expect(await client.next("tool_result")).toMatchObject({ resultStatus: "ok" });
  await client.next("assistant_done");

  expect(await file().text()).toBe("hello");
}, 60_000);

test("the official openai package works against /v1 unchanged", async () => {
  const { folder, env } = await workspaceWith({ "notes.md": "All about tides.\n" });
  await using _ = folder;
  await using model = scriptedModel(assistant, { models: ["scripted"] });
  await using server = await startExecutable({ ...env, MODEL_PROVIDER_ENDPOINT: model.url });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "a summary of notes.md" }];

  const whole = await client.chat.completions.create({ model: "scripted", messages });
  expect(whole.choices[0]?.message.content).toBe("It is about tides.");
  expect(whole.choices[0]?.finish_reason).toBe("stop");
  const stream = await client.chat.completions.create({
    model: "scripted",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("It is about tides.");
  expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
  expect((await client.models.list()).data.map((each) => each.id)).toContain("scripted");

  const failing = async (model: string, of: typeof messages) =>
    client.chat.completions.create({ model, messages: of });
  await expect(failing("nothing", messages)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  await expect(failing("scripted", [])).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "wrong", maxRetries: 0 });
  await expect((async () => stranger.models.list())()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
}, 60_000);

test("a message that was accepted is answered although the process is killed at once", async () => {
  const { folder, env } = await workspaceWith({});
  await using _ = folder;
  const held = Promise.withResolvers<void>();
  let killed = false;
  await using model = scriptedModel(() =>
    killed ? { text: "answered" } : { text: "never", gate: () => held.promise },
  );
  const all = { ...env, MODEL_PROVIDER_ENDPOINT: model.url, MODEL_PROVIDER_MODEL: "scripted" };
  {
    await using server = await startExecutable(all);
    using client = await connectEnvelopes(server.url, token);
    client.send({ type: "user_message", text: "hello", messageId: "m1", sessionId: "s" });
    await client.next("accepted");
    await server.stop("SIGKILL");
    killed = true;
  }
  await using again = await startExecutable(all);
  using client = await connectEnvelopes(again.url, token);
  client.send({ type: "user_message", text: "hello", messageId: "m1", sessionId: "s" });

  await client.next("assistant_done");
  const texts = client.heard.flatMap((envelope) =>
    envelope.type === "assistant_chunk" ? [envelope.text] : [],
  );
  expect(texts).toEqual(["answered"]);
  held.resolve();
}, 60_000);
