import { expect, test } from "bun:test";
import { connectEnvelopes } from "./helpers/envelope-client.ts";
import { temporaryFolder } from "./helpers/executable.ts";
import { type InProcess, operatorToken, startInProcess } from "./helpers/in-process.ts";
import { type ChatBody, scriptedModel, type Step } from "./helpers/model-server.ts";

const agents = [
  { name: "researcher", description: "Finds things.", systemPrompt: "You are R.", tools: ["time"] },
  { name: "writer", description: "Writes files.", systemPrompt: "You are W.", tools: ["write_file", "time"] },
  { name: "spender", description: "Talks much.", systemPrompt: "You are S.", tokens: 20 },
  { name: "boss", description: "Hands on.", systemPrompt: "You are B." },
  { name: "slow", description: "Takes its time.", systemPrompt: "You are Z.", timeoutSeconds: 0.2 },
];

const textOf = (content: unknown) => (typeof content === "string" ? content : JSON.stringify(content ?? ""));
const system = (body: ChatBody) => textOf(body.messages[0]?.content);
const results = (body: ChatBody) =>
  body.messages.filter(({ role }) => role === "tool").map(({ content }) => textOf(content));
const toolsOf = (body: ChatBody) => body.tools.map((tool) => tool.function.name);

type Task = readonly [profile: string, task: string];

const delegating = (...to: readonly Task[]): Step => ({
  calls: to.map(([profile, task], at) => ({
    id: `call_${at}`,
    name: "delegate_agent",
    arguments: { profile, task },
  })),
});

type Part = (body: ChatBody) => Step | Promise<Step>;

/** A model that plays each agent by its system prompt; `parent` is the one without a profile. */
const playing = (parts: Readonly<Record<string, Part>>) =>
  scriptedModel((body) => {
    const name = agents.find(({ systemPrompt }) => system(body).includes(systemPrompt))?.name ?? "parent";
    const part = parts[name];
    return part === undefined ? { status: 400 } : part(body);
  });

const start = (url: string, env: Readonly<Record<string, string>> = {}) =>
  startInProcess({
    MODEL_PROVIDER_ENDPOINT: url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_LLM_RETRIES: "0",
    OPENCLAW_ALLOW_DELEGATION: "true",
    OPENCLAW_AGENTS: JSON.stringify(agents),
    ...env,
  });

async function chat(server: InProcess, session?: string, model?: string) {
  const response = await server.ask(
    "/v1/chat/completions",
    { messages: [{ role: "user", content: "go" }], ...(model && { model }) },
    { headers: { ...(session && { "x-openclaw-session-id": session }), "x-openclaw-approvals": "wait" } },
  );
  return { status: response.status, body: await response.json() };
}

const said = (answer: { body: { choices?: { message: { content: string } }[] } }) =>
  answer.body.choices?.[0]?.message.content;

/** Delegates once, and answers with what came of it. */
const tellsResults =
  (...to: readonly Task[]): Part =>
  (body) =>
    results(body).length === 0 ? delegating(...to) : { text: results(body).join("\n===\n") };

const childSession = (text: string | undefined) => /session (delegate:[\w:-]+)/.exec(text ?? "")?.[1] ?? "";

test("delegate_agent hands a task on, tells the answer with what it took, and keeps the work in a session", async () => {
  await using model = playing({
    parent: tellsResults(["researcher", "What time is it?"]),
    researcher: (body) =>
      results(body).length === 0 ? { calls: [{ name: "time", arguments: {} }] } : { text: "It is late." },
  });
  await using server = await start(model.url);
  for (const session of ["s1", undefined]) {
    const text = said(await chat(server, session));
    expect(text).toMatch(/^It is late\.\n\n\[researcher: 2 steps; \d+ tokens; session delegate:/);
    const id = childSession(text);
    const history = await (await server.ask(`/api/sessions/${id}/messages`)).json();
    expect(history.items).toHaveLength(4);
    const { parent } = await (await server.ask(`/api/sessions/${id}`)).json();
    expect(parent).toMatchObject(session === undefined ? {} : { session });
    // Another one's delegates cost a session of its own nothing.
    const usage = await (await server.ask("/api/usage?by=session")).json();
    if (session !== undefined) expect(usage.items).toMatchObject([{ key: "s1", calls: 4 }]);
  }
  const [asked, child] = model.requests.map(({ body }) => body);
  if (asked === undefined || child === undefined) throw new Error("Nobody was asked.");
  expect(system(asked)).toContain("- researcher: Finds things.");
  expect(toolsOf(asked)).toContain("delegate_agent");
  expect(toolsOf(child)).toEqual(["time"]);
  expect(system(child)).not.toContain("memory");
});

test("delegate_agent shows what the delegate does as chunks of its call, and turns.get tells the cause", async () => {
  await using model = playing({
    parent: tellsResults(["researcher", "What time is it?"]),
    researcher: (body) =>
      results(body).length === 0 ? { calls: [{ name: "time", arguments: {} }] } : { text: "It is late." },
  });
  await using server = await start(model.url);
  const sent = await (await server.ask("/api/sessions/s1/messages", { text: "go" })).json();
  const events = await (await server.ask(`/api/turns/${sent.turn}/events`)).text();
  const chunks = [...events.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? "null"));
  const shown = chunks.filter(({ type }) => type === "tool_chunk").map(({ text }) => text);
  expect(shown.join("")).toMatch(
    /^\[researcher\] step 1\n\[researcher\] time .*\n\[researcher\] time ok\n\[researcher\] step 2\n\[researcher\] It is late\.$/,
  );
  const id = childSession(events);
  const stored = await (await server.ask(`/api/sessions/${id}`)).json();
  const { cause, agent } = await (await server.ask(`/api/turns/${stored.parent.turn}`)).json();
  expect([cause, agent]).toEqual([undefined, undefined]);
});

test("delegate_agent refuses itself, circles, too much depth and who is not there, naming who is", async () => {
  await using model = playing({
    parent: tellsResults(["nobody", "x"], ["boss", "x"]),
    boss: (body) =>
      results(body).length > 0
        ? { text: results(body).join("\n") }
        : textOf(body.messages.at(-1)?.content) === "deeper"
          ? delegating(["researcher", "x"], ["spender", "x"])
          : delegating(["boss", "x"], ["writer", "deeper"]),
    writer: () => ({ text: "written" }),
  });
  await using server = await start(model.url, { OPENCLAW_DELEGATION_DEPTH: "1" });
  const text = said(await chat(server, "s1"));
  expect(text).toContain(
    'Cannot delegate to "nobody": there is no such agent. There are: researcher, writer, spender, boss, slow.',
  );
  expect(text).toContain("Cannot delegate to boss: that is the agent that asks.");
  expect(text).toContain("agents may delegate 1 deep (OPENCLAW_DELEGATION_DEPTH)");
});

test("delegates may use no more than their parent, whatever their profile says", async () => {
  await using folder = await temporaryFolder();
  const listed = { ...agents[3], tools: ["delegate_agent", "time"] };
  const lists = agents.map((each) => (each.name === "boss" ? listed : each));
  await using model = playing({
    boss: tellsResults(["writer", "write it"]),
    writer: (body) =>
      results(body).length > 0
        ? { text: "I could not." }
        : { calls: [{ name: "write_file", arguments: { path: "a", content: "b" } }] },
  });
  await using server = await start(model.url, {
    OPENCLAW_AGENTS: JSON.stringify(lists),
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    OPENCLAW_WORKSPACE: folder.path,
    OPENCLAW_AUTONOMY: "full",
  });
  const text = said(await chat(server, "s1", "openclaw/boss"));
  expect(text).toMatch(/^I could not\.\n\n\[writer: 2 steps; \d+ tokens; denied: write_file; /);
  expect(model.requests.map(({ body }) => toolsOf(body))).toEqual([
    ["time", "delegate_agent"],
    ["time"],
    ["time"],
    ["time", "delegate_agent"],
  ]);
});

test("three delegates at once, one denied a tool, one over budget, one out of time: the parent hears a true account of each", async () => {
  await using model = playing({
    parent: tellsResults(["researcher", "write"], ["spender", "talk"], ["slow", "wait"]),
    researcher: (body) =>
      results(body).length > 0
        ? { text: "I may not." }
        : { calls: [{ name: "write_file", arguments: { path: "a", content: "b" } }] },
    spender: () => ({ calls: [{ name: "time", arguments: {} }], usage: { input: 20, output: 5 } }),
    slow: () => ({ hang: "headers" }),
  });
  await using server = await start(model.url);
  const [denied, budget, late] = said(await chat(server, "s1"))?.split("\n===\n") ?? [];
  expect(denied).toContain("I may not.\n\n[researcher: 2 steps;");
  expect(denied).toContain("denied: write_file");
  expect(budget).toContain("spender may take 20 tokens, its delegates' included, and 25 are spent.");
  expect(budget).toContain("(budget_exceeded)\n[spender: 1 step; 25 tokens;");
  expect(late).toContain("slow did not finish: it was stopped after 0.2 seconds of work");
  const id = childSession(late);
  expect((await (await server.ask(`/api/sessions/${id}`)).json()).turn).toBeUndefined();
});

test("a delegate asks the person of the turn above it, saying who asks, and holds up nobody meanwhile", async () => {
  await using folder = await temporaryFolder();
  const asked = Promise.withResolvers<void>();
  await using model = playing({
    parent: tellsResults(["writer", "write"], ["researcher", "look"]),
    writer: (body) =>
      results(body).length > 0
        ? { text: "Done." }
        : { calls: [{ name: "write_file", arguments: { path: "no/such", content: "b" } }] },
    researcher: () => asked.promise.then(() => ({ text: "Looked." })),
  });
  await using server = await start(model.url, {
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    OPENCLAW_WORKSPACE: folder.path,
    OPENCLAW_DELEGATION_WIDTH: "1",
    OPENCLAW_MAX_CONCURRENT_TURNS: "1",
  });
  using client = await connectEnvelopes(server.url, operatorToken);
  client.send({ type: "user_message", text: "go", sessionId: "s1" });
  const question = await client.next("tool_approval_required");
  expect(question).toMatchObject({ toolName: "write_file", callId: "call_0" });
  expect(question.reason).toStartWith("writer (delegate) wants write_file: this call changes something");
  const open = await (await server.ask("/api/approvals")).json();
  expect(open.items).toMatchObject([{ sessionId: "s1", requester: "operator" }]);
  asked.resolve();
  // Its sibling ends first, though only one may work at once.
  const first = await client.next("tool_result");
  expect(first.text).toStartWith("Looked.");
  client.send({ type: "tool_approval_decision", approvalId: question.approvalId, approved: false });
  const second = await client.next("tool_result");
  expect(second.text).toContain("denied: write_file");
  await client.next("typing_stop");
});

test("the time of a delegate stands still while a person decides about calls of a delegate of its own", async () => {
  await using folder = await temporaryFolder();
  const hurried = agents.map((each) => (each.name === "boss" ? { ...each, timeoutSeconds: 3 } : each));
  const write = (path: string) => ({ id: path, name: "write_file", arguments: { path, content: "x" } });
  await using model = playing({
    parent: tellsResults(["boss", "have it written"]),
    boss: tellsResults(["writer", "write it"]),
    writer: (body) =>
      results(body).length === 0 ? { calls: [write("a"), write("b")] } : { text: "Written." },
  });
  await using server = await start(model.url, {
    OPENCLAW_AGENTS: JSON.stringify(hurried),
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    OPENCLAW_WORKSPACE: folder.path,
  });
  using client = await connectEnvelopes(server.url, operatorToken);
  client.send({ type: "user_message", text: "go", sessionId: "s1" });
  const questions = [
    await client.next("tool_approval_required"),
    await client.next("tool_approval_required"),
  ];
  const [first, second] = questions.map(({ approvalId }) => approvalId);
  client.send({ type: "tool_approval_decision", approvalId: first, approved: true });
  await client.next("tool_chunk", ({ text }) => String(text).includes("write_file ok"));
  // Longer than the one in the middle may work.
  await Bun.sleep(3100);
  client.send({ type: "tool_approval_decision", approvalId: second, approved: true });
  expect((await client.next("tool_result")).text).toContain("Written.");
  await client.next("typing_stop");
});

test("turns.cancel of the parent ends its delegates", async () => {
  await using model = playing({
    parent: tellsResults(["researcher", "wait"]),
    researcher: () => ({ text: ["half ", "of"], hang: "body" }),
  });
  await using server = await start(model.url);
  using client = await connectEnvelopes(server.url, operatorToken);
  client.send({ type: "user_message", text: "go", sessionId: "s1" });
  await client.next("tool_chunk", ({ text }) => String(text).includes("half"));
  const list = await (await server.ask("/api/sessions")).json();
  const child = list.items.find(({ id }: { id: string }) => id.startsWith("delegate:"));
  const { turn } = await (await server.ask(`/api/sessions/${child.id}`)).json();
  client.send({ type: "cancel", sessionId: "s1" });
  await client.next("typing_stop");
  const row = await (await server.ask(`/api/turns/${turn}`)).json();
  expect(row).toMatchObject({
    state: "cancelled",
    agent: "researcher",
    cause: { kind: "delegate", depth: 1 },
  });
});

test("a server that stops goes on with a turn and its delegate; one whose turn is gone ends", async () => {
  await using folder = await temporaryFolder();
  const env = { OPENCLAW_DATA_DIR: folder.path };
  let gate = Promise.withResolvers<void>();
  await using model = playing({
    parent: tellsResults(["researcher", "work"]),
    researcher: () => ({ text: ["Worked ", "on."], gate: (at) => (at === 1 ? gate.promise : undefined) }),
  });
  const lost = Promise.withResolvers<void>();
  {
    await using server = await start(model.url, env);
    using client = await connectEnvelopes(server.url, operatorToken);
    client.send({ type: "user_message", text: "go", sessionId: "s1", messageId: "m1" });
    await client.next("tool_chunk", ({ text }) => String(text).includes("Worked"));
    const asked = model.requests.length;
    chat(server).then(
      () => lost.resolve(),
      () => lost.resolve(),
    );
    for (let tries = 0; model.requests.length < asked + 2 && tries < 1500; tries++) await Bun.sleep(10);
  }
  await lost.promise;
  gate.resolve();
  gate = Promise.withResolvers();
  gate.resolve();
  await using server = await start(model.url, env);
  const again = { messages: [{ role: "user", content: "go" }] };
  const headers = { "x-openclaw-session-id": "s1", "idempotency-key": "m1" };
  const answer = await (await server.ask("/v1/chat/completions", again, { headers })).json();
  expect(answer.choices[0].message.content).toStartWith("Worked on.\n\n[researcher: 1 step;");

  const { items } = await (await server.ask("/api/sessions")).json();
  const children = items.filter(({ id }: { id: string }) => id.startsWith("delegate:"));
  const states: string[] = [];
  for (const { id } of children) {
    const log = await (await server.ask(`/api/sessions/${id}/export?format=jsonl`)).text();
    states.push(log.includes("Worked on.") ? "done" : "ended");
    expect((await (await server.ask(`/api/sessions/${id}`)).json()).turn).toBeUndefined();
  }
  expect(states.toSorted()).toEqual(["done", "ended"]);
}, 20_000);

test("delegate_agent asks again for a call whose id an earlier answer of the turn has used, and finds that one again after a restart", async () => {
  await using folder = await temporaryFolder();
  const env = { OPENCLAW_DATA_DIR: folder.path };
  const gate = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let asked = 0;
  await using model = playing({
    // Each answer numbers its calls from 0, as Kimi does.
    parent: (body) =>
      results(body).length < 2
        ? delegating(["researcher", "Run the tests."])
        : { text: results(body).join("\n===\n") },
    researcher: async () => {
      const number = ++asked;
      if (number === 2) second.resolve();
      if (number === 2) await gate.promise;
      return { text: `${3 - Math.min(number, 2)} fail` };
    },
  });
  {
    await using server = await start(model.url, env);
    await server.ask("/api/sessions/s1/messages", { text: "go", messageId: "m1" });
    await second.promise;
  }
  gate.resolve();
  await using server = await start(model.url, env);
  const again = { messages: [{ role: "user", content: "go" }] };
  const headers = { "x-openclaw-session-id": "s1", "idempotency-key": "m1" };
  const answer = await (await server.ask("/v1/chat/completions", again, { headers })).json();
  const [first, last] = answer.choices[0].message.content.split("\n===\n");
  expect(first).toStartWith("2 fail");
  expect(last).toStartWith("1 fail");
  const { items } = await (await server.ask("/api/sessions")).json();
  expect(items.filter(({ id }: { id: string }) => id.startsWith("delegate:"))).toHaveLength(2);

  // What was spent before the restart, and by the delegates, is in the turn's sum.
  const usage = await (await server.ask("/api/usage?by=session")).json();
  const { inputTokens, outputTokens } = usage.items[0];
  expect(inputTokens).toBeGreaterThanOrEqual(50);
  const { turn } = await (
    await server.ask("/api/sessions/s1/messages", { text: "go", messageId: "m1" })
  ).json();
  const row = await (await server.ask(`/api/turns/${turn}`)).json();
  expect(row.usage).toEqual({ inputTokens, outputTokens });
}, 20_000);

test("turns.get and jobs.runs tell what was spent with the delegates, and an OpenAI answer what its own calls took", async () => {
  await using model = playing({
    parent: tellsResults(["researcher", "look"]),
    researcher: () => ({ text: "Looked.", usage: { input: 5000, output: 7 } }),
  });
  await using server = await start(model.url);
  const { body } = await chat(server, "s1");
  expect(body.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 1 });
  const { parent } = await (await server.ask(`/api/sessions/${childSession(said({ body }))}`)).json();
  const row = await (await server.ask(`/api/turns/${parent.turn}`)).json();
  expect(row.usage).toEqual({ inputTokens: 5020, outputTokens: 8 });

  await server.ask("/api/jobs", { name: "j", schedule: "0 0 1 1 *", prompt: "go" });
  await server.ask("/api/jobs/j/run", {});
  const lastRun = async () => (await (await server.ask("/api/jobs/j/runs")).json()).items[0];
  let run = await lastRun();
  for (let tries = 0; run?.state !== "ran" && tries < 1500; tries++, run = await lastRun())
    await Bun.sleep(10);
  expect(run).toMatchObject({ state: "ran", usage: { inputTokens: 5020, outputTokens: 8 } });
});

test("/v1/models lists the agents, and a client talks to one directly", async () => {
  await using model = playing({ researcher: () => ({ text: "I am R." }) });
  await using server = await start(model.url);
  const { data } = await (await server.ask("/v1/models")).json();
  expect(data.map(({ id }: { id: string }) => id)).toEqual([
    "scripted",
    ...agents.map(({ name }) => `openclaw/${name}`),
  ]);
  expect(said(await chat(server, undefined, "openclaw/researcher"))).toBe("I am R.");
  expect(said(await chat(server, "s1", "openclaw/researcher"))).toBe("I am R.");
  expect(toolsOf(model.requests[0]?.body ?? (undefined as never))).toEqual(["time"]);
  const messages = "/api/sessions/s2/messages";
  await server.ask(messages, { text: "/model openclaw/researcher" });
  const { turn } = await (await server.ask(messages, { text: "go" })).json();
  expect(await (await server.ask(`/api/turns/${turn}/events`)).text()).toContain("I am R.");
  const { status, body } = await chat(server, undefined, "openclaw/nobody");
  expect([status, body.error.code]).toEqual([404, "model_not_found"]);
  expect(body.error.message).toContain("openclaw/researcher, openclaw/writer");
});
