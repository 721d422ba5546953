import { expect, test } from "bun:test";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import * as sessions from "../../src/store/sessions.ts";
import { titleOf } from "../../src/store/title.ts";
import { aSession, now } from "./records.ts";
import { forEachStore } from "./stores.ts";

test("titleOf is one line of at most 80 characters", () => {
  expect(titleOf(userMessage("  What is\n\nthe\ttime? "))).toBe("What is the time?");
  const long = titleOf(userMessage("👨‍👩‍👧 word ".repeat(50))) ?? "";
  expect([...long].length).toBeLessThanOrEqual(80);
  expect(long).toStartWith("👨‍👩‍👧 word 👨‍👩‍👧");
  expect(long).toEndWith("…");
  expect(titleOf(userMessage("x".repeat(80)))).toBe("x".repeat(80));
  expect(titleOf(userMessage("a\u202e\0b\ud800"))).toBe("a b\ufffd");
});

test("titleOf reads the text of parts, and finds none where there is none", () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
  expect(titleOf(userMessage([image, { type: "text", text: "What is this?" }]))).toBe("What is this?");
  expect(titleOf(userMessage([image]))).toBeUndefined();
  expect(titleOf(userMessage(" \n"))).toBeUndefined();
});

forEachStore("append keeps the first text of a person as the title, and no later one", async (store) => {
  await store.write(async (tx) => {
    await aSession(tx);
    const titleNow = async () => (await sessions.find(tx, "s1"))?.title;
    await sessions.append(tx, "s1", undefined, assistantMessage("welcome"), now);
    await sessions.append(tx, "s1", undefined, userMessage([{ type: "image_url" }]), now);
    expect(await titleNow()).toBeUndefined();
    await sessions.append(tx, "s1", undefined, userMessage("first"), now);
    await sessions.setLeaf(tx, "s1", null, now);
    await sessions.append(tx, "s1", undefined, userMessage("second"), now);
    expect(await titleNow()).toBe("first");
    expect((await sessions.list(tx, { limit: 5 })).items[0]?.title).toBe("first");
  });
});
