import { expect, test } from "bun:test";
import { join } from "node:path";
import { connectEnvelopes, type Envelope, type EnvelopeClient } from "./helpers/envelope-client.ts";
import { runExecutable, startExecutable, temporaryFolder } from "./helpers/executable.ts";
import { type ChatBody, scriptedModel, type Step } from "./helpers/model-server.ts";

const token = "an-operators-token";
const session = "tree";

/** Answers with all that the user has said on the path that it is sent. */
const recalls = (body: ChatBody): Step => ({
  text: [
    body.messages
      .filter(({ role }) => role === "user")
      .map(({ content }) => content)
      .join(" > "),
  ],
});

/** Says something over a WebSocket; resolves to the answer, of the model or of a command. */
async function say(client: EnvelopeClient, text: string): Promise<string> {
  const messageId = crypto.randomUUID();
  const mine = (each: Envelope) => each.inReplyToMessageId === messageId;
  client.send({ type: "user_message", text, messageId, sessionId: session });
  await client.next("typing_stop", mine);
  return client.heard
    .filter((each) => mine(each) && ["assistant_chunk", "assistant_message", "error"].includes(each.type))
    .map((each) => String(each.text))
    .join("");
}

async function request(client: EnvelopeClient, method: string, params: object) {
  const id = crypto.randomUUID();
  client.send({ type: "request", id, method, params: { session, ...params } });
  return client.next("response", (response) => response.id === id);
}

/** Asks over HTTP. */
async function http(url: string, path: string, method = "GET", body?: object) {
  const answer = await fetch(`${url}/api/sessions/${session}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

test("a conversation is branched, continued on both sides, compared and restored through every door and over a restart", async () => {
  await using folder = await temporaryFolder();
  await using model = scriptedModel(recalls);
  const env = {
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  };
  let left = "";
  {
    await using server = await startExecutable(env);
    using client = await connectEnvelopes(server.url, token);
    expect(await say(client, "plan a trip")).toBe("plan a trip");

    // By slash command.
    expect(await say(client, "/branch crossroads")).toStartWith("Branch crossroads made after 2 messages");
    expect(await say(client, "by train")).toBe("plan a trip > by train");
    expect(await say(client, "/restore crossroads")).toContain("kept as before-restore-");
    expect(await say(client, "by boat")).toBe("plan a trip > by boat");
    expect(await say(client, "/branches")).toContain("- crossroads: 2 messages");
    expect(await say(client, "/restore nowhere")).toContain('no branch "nowhere"');

    // By WebSocket.
    const { result } = await request(client, "branches.create", { name: "boat" });
    expect(result).toMatchObject({ messages: 4 });
    const listed = await request(client, "branches.list", {});
    const items = (listed.result as { items: { name: string }[] }).items.map(({ name }) => name);
    left = items.find((name) => name.startsWith("before-restore-")) ?? "";
    expect(await request(client, "branches.restore", { branch: left })).toMatchObject({
      result: { messages: 4 },
    });
    expect(await say(client, "in May")).toBe("plan a trip > by train > in May");
    await server.stop("SIGKILL");
  }
  await using server = await startExecutable(env);
  using client = await connectEnvelopes(server.url, token);

  // By HTTP, after a process that was killed.
  const compared = await http(server.url, "/branches/compare?left=boat");
  const said = (part: { entries: { message: { content: string } }[] }) =>
    part.entries.map(({ message }) => message.content);
  expect(said(compared.body.stem)).toEqual(["plan a trip", "plan a trip"]);
  expect(said(compared.body.left)).toEqual(["by boat", "plan a trip > by boat"]);
  expect(said(compared.body.right)).toHaveLength(4);
  expect(compared.body.right.inputTokens).toBe(20);
  expect((await http(server.url, "/branches/boat/restore", "POST")).body).toMatchObject({ messages: 4 });
  expect(await say(client, "to Malta")).toBe("plan a trip > by boat > to Malta");
  expect((await http(server.url, "/branches/boat", "DELETE")).status).toBe(200);
  expect((await http(server.url, "/branches", "POST", { name: "Malta" })).status).toBe(200);

  // By command line.
  const run = (...args: string[]) =>
    runExecutable(["run", ...args], { OPENCLAW_BASE_URL: server.url, OPENCLAW_AUTH_TOKEN: token });
  expect(await run("and back", "--session", session, "--branch", left)).toMatchObject({
    code: 0,
    stdout: "plan a trip > by train > and back\n",
  });
  expect(await run("and stay", "--session", session, "--branch", "Malta")).toMatchObject({
    stdout: "plan a trip > by boat > to Malta > and stay\n",
  });
  const unknown = await run("x", "--session", session, "--branch", "boat");
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('no branch "boat"')]);
  expect((await run("x", "--branch", "Malta")).code).toBe(2);
}, 60_000);

test("/restore waits for the turn that runs, while the operation is refused with a hint to retry", async () => {
  await using folder = await temporaryFolder();
  const goOn = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using model = scriptedModel((body, index) => ({
    ...recalls(body),
    ...(index === 1 && {
      gate: () => {
        begun.resolve();
        return goOn.promise;
      },
    }),
  }));
  await using server = await startExecutable({
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
  });
  using client = await connectEnvelopes(server.url, token);
  await say(client, "one");
  await say(client, "/branch first");

  const slow = say(client, "two");
  await begun.promise;
  const restored = say(client, "/restore first");
  const refused = await request(client, "branches.restore", { branch: "first" });
  goOn.resolve();

  expect(refused.error).toMatchObject({ code: "conflict", message: expect.stringContaining("retry") });
  expect(await slow).toBe("one > two");
  expect(await restored).toContain("after 2 messages");
  expect(await say(client, "three")).toBe("one > three");
}, 60_000);
