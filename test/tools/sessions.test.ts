import { describe, expect, test } from "bun:test";
import { startInProcess } from "../helpers/in-process.ts";
import { say } from "../helpers/doors.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { obey, pleaseCall } from "../helpers/tool-run.ts";

/** A server whose model calls what it is told to, and what the tool answered. */
async function aServer(env: Record<string, string> = {}) {
  const model = scriptedModel(obey);
  const server = await startInProcess({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_CLIENT_TOKENS: "ada=adas-own-token-of-16,bob=bobs-own-token-of-16",
    ...env,
  });
  const messages = async (session: string) =>
    (await (await server.ask(`/api/sessions/${session}/messages`)).json()).items.map(
      (item: { message: { role: string; content: string } }) => item.message,
    );
  return {
    server,
    /** The tool's answer to one call in a session of the operator, or of a token. */
    async call(session: string, args: object, token?: string) {
      const headers = {
        "x-openclaw-session-id": session,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      await server.ask(
        "/v1/chat/completions",
        { messages: [{ role: "user", content: pleaseCall([{ name: "sessions", arguments: args }]) }] },
        { headers },
      );
      const told = (await messages(session)).filter(({ role }: { role: string }) => role === "tool");
      return String(told.at(-1)?.content);
    },
    messages,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await model.close();
    },
  };
}

describe("sessions", () => {
  test("lists and shows the caller's own sessions, and another's is as none", async () => {
    await using own = await aServer();
    await say(own.server, { door: "chat session", text: "about whales", session: "whales" });
    expect(await own.call("s1", { action: "list" })).toMatch(/^s1 .*\nwhales \(\d{4}-.*\): about whales$/s);
    expect(await own.call("s1", { action: "history", sessionId: "whales" })).toMatch(
      /user: about whales\n.*assistant: done/,
    );
    expect(await own.call("a1", { action: "list" }, "adas-own-token-of-16")).not.toContain("whales");
    for (const sessionId of ["whales", "none-such"]) {
      const told = await own.call("a1", { action: "history", sessionId }, "adas-own-token-of-16");
      expect(told).toContain(`There is no session ${sessionId}.`);
      const sent = await own.call("a1", { action: "send", sessionId, message: "hi" }, "adas-own-token-of-16");
      expect(sent).toContain(`There is no session ${sessionId}.`);
    }
  });

  test("sends into another session, which answers there, and neither to itself nor on and on", async () => {
    await using own = await aServer();
    await say(own.server, { door: "chat session", text: "hello", session: "other" });
    const onward = pleaseCall([
      { name: "sessions", arguments: { action: "send", sessionId: "s1", message: "x" } },
    ]);
    const told = await own.call("s1", { action: "send", sessionId: "other", message: onward });
    const turn = /as turn (\S+)\./.exec(told)?.[1];
    await (await own.server.ask(`/api/turns/${turn}/events`)).text();
    const there = await own.messages("other");
    expect(there.at(-3)).toMatchObject({ role: "assistant" });
    expect(there.at(-2).content).toContain("starts no further ones");
    expect(there.at(-1)).toMatchObject({ role: "assistant", content: "done" });
    expect(await own.call("s1", { action: "send", sessionId: "s1", message: "x" })).toContain(
      "it is the session of this conversation",
    );
  });

  test("says what is missing, and refuses an unknown session id of any kind", async () => {
    await using own = await aServer();
    expect(await own.call("s1", { action: "history" })).toContain("the parameter sessionId is missing");
    expect(await own.call("s1", { action: "send", sessionId: "x" })).toContain(
      "the parameter message is missing",
    );
    expect(await own.call("s1", { action: "history", sessionId: "../../x" })).toContain(
      "There is no session",
    );
    expect(await own.call("s1", { action: "list", limit: 0 })).toContain("limit");
  });
});

test("project_memory shares the notes of the project between its people, and is absent without one", async () => {
  await using own = await aServer({ OPENCLAW_PROJECT: "apollo" });
  const call = async (token: string, args: object) => {
    const session = `p-${Bun.randomUUIDv7()}`;
    await own.server.ask(
      "/v1/chat/completions",
      { messages: [{ role: "user", content: pleaseCall([{ name: "project_memory", arguments: args }]) }] },
      { headers: { "x-openclaw-session-id": session, authorization: `Bearer ${token}` } },
    );
    return (await own.messages(session)).find(({ role }: { role: string }) => role === "tool").content;
  };
  const ada = (args: object) => call("adas-own-token-of-16", args);
  const bob = (args: object) => call("bobs-own-token-of-16", args);
  expect(await ada({ action: "list" })).toBe("The project has no notes.");
  expect(await ada({ action: "save", key: "goal", content: "the moon" })).toBe("Saved note: goal");
  expect(await bob({ action: "load", key: "goal" })).toBe("the moon");
  expect(await bob({ action: "list" })).toBe("goal");
  expect(await bob({ action: "delete", key: "goal" })).toBe("Deleted note: goal");
  expect(await ada({ action: "load", key: "goal" })).toBe("No note found for key: goal");
  expect(await ada({ action: "save", key: "goal" })).toContain("the parameter content is missing");

  await using without = await aServer();
  const tools = await (await without.server.ask("/api/tools")).json();
  expect(JSON.stringify(tools)).not.toContain("project_memory");
});
