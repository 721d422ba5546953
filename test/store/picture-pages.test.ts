import { expect } from "bun:test";
import { assistantMessage, type Message, userMessage } from "../../src/llm/message.ts";
import { resultMessage } from "../../src/llm/pictures.ts";
import * as sessions from "../../src/store/sessions.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

const picture = `data:image/png;base64,${"A".repeat(700_000)}`;
const rounds = 12;
const pageCharacters = 4 * 1024 * 1024;

forEachStore("messages counts pictures of tools in a page as what they take", async (store) => {
  const ids: string[] = [];
  await store.write(async (tx) => {
    await aSession(tx);
    const append = async (message: Message) => ids.push(await sessions.append(tx, "s1", "t1", message, now));
    for (let at = 0; at < rounds; at++) {
      await append(userMessage("look"));
      await append(assistantMessage("", [{ id: `call-${at}`, name: "browser", arguments: "{}" }]));
      await append(resultMessage(`call-${at}`, "the page", [picture]));
    }
  });

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const at = { limit: 100, ...(cursor !== undefined && { cursor }) };
    const { items, next } = await store.read((tx) => sessions.messages(tx, "s1", at));
    expect(items.reduce((sum, { message }) => sum + message.json.length, 0)).toBeLessThan(pageCharacters);
    seen.unshift(...items.map(({ id }) => id));
    cursor = next;
  } while (cursor !== undefined);

  expect(seen).toEqual(ids);
});
