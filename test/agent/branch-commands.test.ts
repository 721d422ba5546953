import { expect, test } from "bun:test";
import { branchCommands } from "../../src/agent/branch-commands.ts";
import { userMessage } from "../../src/llm/message.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aTurn } from "../helpers/a-turn.ts";

async function made() {
  const store = await memoryStore();
  await store.write((tx) => sessions.open(tx, { id: "s", owner: "operator", channel: "websocket", now: 1 }));
  let time = 1000;
  const list = branchCommands(store, () => time++);
  return {
    run: async (name: string, args = "", sessionId: string | undefined = "s") => {
      const turn = aTurn();
      return list
        .find((command) => command.name === name)
        ?.run(args, sessionId === "" ? turn : { ...turn, sessionId });
    },
    say: (text: string) =>
      store.write((tx) => sessions.append(tx, "s", undefined, userMessage(text), time++)),
    list,
    close: store.close,
  };
}

test("/branch names where the session stands, by itself when no name is given", async () => {
  const { run, say, close } = await made();
  await say("one");
  expect(await run("branch", "my idea")).toBe(
    "Branch my idea made after 1 message. /restore my idea comes back here.",
  );
  expect(await run("branch")).toStartWith("Branch branch-1 made");
  expect(await run("branch")).toStartWith("Branch branch-2 made");
  await expect(run("branch", "../x")).rejects.toMatchObject({ code: "bad_request" });
  await expect(run("branch", "my idea")).rejects.toMatchObject({ code: "conflict" });
  await close();
});

test("/branches lists them, newest first, and marks where the session stands", async () => {
  const { run, say, close } = await made();
  expect(await run("branches")).toBe("This session has no branches yet: /branch makes one.");
  await run("branch", "empty");
  await say("one");
  await run("branch", "one");
  expect(await run("branches")).toBe(
    [
      "Branches, newest first:",
      "- one: 1 message, 1970-01-01T00:00:01.002Z (here)",
      "- empty: 0 messages, 1970-01-01T00:00:01.000Z",
    ].join("\n"),
  );
  await close();
});

test("/restore goes back, keeps where it stood, and waits its turn", async () => {
  const { run, say, list, close } = await made();
  await run("branch", "begin");
  await say("one");
  expect(await run("restore")).toStartWith("Usage: /restore <name>");
  expect(await run("restore", "begin")).toMatch(
    /^The session stands at begin, after 0 messages\. .+ kept as before-restore-\d+\.$/,
  );
  expect(await run("restore", "begin")).toBe("The session stands at begin, after 0 messages.");
  await expect(run("restore", "nothing")).rejects.toMatchObject({ code: "not_found" });
  expect(list.map(({ name, when }) => [name, when])).toEqual([
    ["branch", "now"],
    ["branches", "now"],
    ["restore", "in_turn"],
  ]);
  await close();
});

test("the branch commands need a session that is kept", async () => {
  const { run, list, close } = await made();
  for (const { name } of list) expect(await run(name, "x", "")).toContain("needs a session");
  await close();
});
