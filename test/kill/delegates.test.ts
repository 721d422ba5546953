import { expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { connectEnvelopes } from "../helpers/envelope-client.ts";
import { startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { type ChatBody, scriptedModel, type Step } from "../helpers/model-server.ts";

const token = "an-operators-token";
const kills = runs(2, 20);

const agents = [
  { name: "denied", description: "Is denied a tool.", systemPrompt: "You are D.", tools: ["time"] },
  { name: "spender", description: "Spends too much.", systemPrompt: "You are S.", tokens: 20 },
  { name: "worker", description: "Works on.", systemPrompt: "You are W.", tools: ["time"] },
];

const text = (content: unknown) => (typeof content === "string" ? content : "");
const results = ({ messages }: ChatBody) =>
  messages.filter(({ role }) => role === "tool").map(({ content }) => text(content));

const callOf = (id: string, name: string, given: object): Step => ({
  calls: [{ id, name, arguments: given }],
  usage: { input: 20, output: 5 },
});

/** Plays the parent and its three delegates by what is in front of each; the worker's second step waits for `gate`. */
function play(body: ChatBody, gate: () => Promise<unknown>): Step {
  const system = text(body.messages[0]?.content);
  const done = results(body);
  if (system.includes("You are D."))
    return done.length === 0 ? callOf("d1", "write_file", { path: "a", content: "b" }) : { text: "Denied." };
  if (system.includes("You are S.")) return callOf("s1", "time", {});
  if (system.includes("You are W."))
    return done.length === 0
      ? callOf("w1", "time", {})
      : { text: ["Worked ", "on."], gate: (at) => (at === 1 ? gate() : undefined) };
  if (done.length > 0) return { text: done.join("\n===\n") };
  return {
    calls: agents.map(({ name }, at) => ({
      id: `c${at}`,
      name: "delegate_agent",
      arguments: { profile: name, task: "do it" },
    })),
  };
}

const Sessions = v.object({ items: v.array(v.object({ id: v.string() })) });
const Usage = v.object({ items: v.array(v.object({ key: v.string(), calls: v.number() })) });

test("three delegates at once, one denied a tool, one over budget, one killed with the process: the parent ends with a true account", async () => {
  await using folder = await temporaryFolder();
  let gate = Promise.withResolvers<void>();
  await using model = scriptedModel((body) => play(body, () => gate.promise));
  const env = {
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_AUTH_TOKEN: token,
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_ALLOW_DELEGATION: "true",
    OPENCLAW_AGENTS: JSON.stringify(agents),
  };
  let server = await startExecutable(env);
  try {
    const ask = (path: string) =>
      fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } }).then((response) =>
        response.json(),
      );
    {
      using client = await connectEnvelopes(server.url, token);
      client.send({ type: "user_message", text: "go", sessionId: "s1", messageId: "m1" });
      for (let ended = 0; ended < 2; ended++) await client.next("tool_result");
      await client.next("tool_chunk", (chunk) => text(chunk.text).includes("Worked"));
    }
    for (let kill = 0; kill < kills; kill++) {
      await server.stop("SIGKILL");
      gate.resolve();
      gate = Promise.withResolvers<void>();
      const before = model.requests.length;
      server = await startExecutable(env);
      // It is at work again when it asks again.
      for (let tries = 0; model.requests.length === before && tries < 1000; tries++) await Bun.sleep(10);
      expect(model.requests.length).toBe(before + 1);
    }
    using client = await connectEnvelopes(server.url, token);
    client.send({ type: "user_message", text: "go", sessionId: "s1", messageId: "m1" });
    gate.resolve();
    await client.next("typing_stop");

    const { items } = v.parse(Sessions, await ask("/api/sessions"));
    expect(items.map(({ id }) => id).filter((id) => id.startsWith("delegate:"))).toHaveLength(3);
    const history = await ask("/api/sessions/s1/messages");
    const account = text(history.items.at(-1).message.content).split("\n===\n");
    expect(account).toHaveLength(3);
    expect(account[0]).toMatch(/^Denied\.\n\n\[denied: 2 steps; \d+ tokens; denied: write_file; session /);
    expect(account[1]).toMatch(/^spender did not finish: spender may take 20 tokens, .* 25 are spent\./);
    expect(account[2]).toMatch(/^Worked on\.\n\n\[worker: 2 steps; \d+ tokens; session /);
    // Nobody's first step was made twice: two of the parent, two, one, and two of the worker with those that were killed.
    expect(model.requests).toHaveLength(7 + kills);
    const usage = v.parse(Usage, await ask("/api/usage?by=session"));
    expect(usage.items.map(({ key }) => key)).toEqual(["s1"]);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}, 60_000);
