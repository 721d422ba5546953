import { expect } from "bun:test";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import { openCalls } from "../../src/store/open-calls.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const calls = (...ids: string[]) =>
  assistantMessage(
    "",
    ids.map((id) => ({ id, name: "answer", arguments: "{}" })),
  );

forEachStore(
  "openCalls finds the calls of the newest answer that have no result behind it",
  async (store) => {
    const openBehind = (...messages: readonly Message[]) =>
      store.write(async (tx) => {
        await aSession(tx);
        await sessions.setLeaf(tx, "s1", null, now);
        let leafId = "";
        for (const message of messages) leafId = await sessions.append(tx, "s1", "t1", message, now);
        return openCalls(tx, leafId);
      });
    const question = userMessage("q");

    expect(await openBehind(question)).toEqual([]);
    expect(await openBehind(question, calls("a", "b"))).toEqual(["a", "b"]);
    // A result may stand behind what was said meanwhile.
    expect(await openBehind(question, calls("a", "b"), toolMessage("b", "r"), question)).toEqual(["a"]);
    expect(await openBehind(question, calls("a"), question, assistantMessage("never mind"))).toEqual([]);
    // Some models number their calls anew in each answer.
    expect(await openBehind(calls("a"), toolMessage("a", "r"), calls("a"))).toEqual(["a"]);
  },
);
