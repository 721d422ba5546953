import { expect, test } from "bun:test";
import * as v from "valibot";
import { readMessage } from "../../src/channels/telegram-inbound.ts";
import { Message } from "../../src/channels/telegram-update.ts";
import { aMessage } from "./bot-api.ts";

const me = { id: 4711, username: "ClawBot" };
const read = (more: object) =>
  readMessage("1", [v.parse(Message, aMessage(more))], { me: async () => me, attachments: () => [] });
const textOf = async (more: object) => {
  const reading = await read(more);
  return reading.kind === "turn" ? reading.inbound.text : reading;
};

const group = { chat: { id: -100, type: "supergroup", title: "Team" } };
const marks = (type: string, text: string, at = 0) => ({
  entities: [{ type, offset: at, length: text.length }],
});

test("readMessage makes a turn of a private message", async () => {
  expect(await read({})).toEqual({
    kind: "turn",
    inbound: {
      deliveryId: "1",
      sender: { id: "7", name: "Ada" },
      recipient: "7",
      sessionId: "telegram:7",
      principal: "telegram:7",
      text: "Hello",
    },
  });
});

test("readMessage takes a group's message only when it is for the bot", async () => {
  expect(await read({ ...group })).toMatchObject({ kind: "ignored" });
  expect(await read({ ...group, text: "@Other hi", ...marks("mention", "@Other") })).toMatchObject({
    kind: "ignored",
  });
  expect(await textOf({ ...group, text: "@clawbot, hi", ...marks("mention", "@clawbot") })).toBe("[Ada] hi");
  expect(await textOf({ ...group, text: "hi @ClawBot", ...marks("mention", "@ClawBot", 3) })).toBe(
    "[Ada] hi @ClawBot",
  );
  expect(
    await textOf({
      ...group,
      text: "yes",
      reply_to_message: { from: { id: 4711, is_bot: true }, text: "?" },
    }),
  ).toBe("[Ada] yes");
  expect(
    await read({ ...group, text: "yes", reply_to_message: { from: { id: 8 }, text: "?" } }),
  ).toMatchObject({
    kind: "ignored",
  });
  // A text that only looks like a mention was not marked as one.
  expect(await read({ ...group, text: "mail@clawbot.test" })).toMatchObject({ kind: "ignored" });
});

test("readMessage takes commands with and without the bot's name, and leaves those for another bot", async () => {
  const command = (text: string) => ({ text, ...marks("bot_command", text.split(" ")[0] ?? "") });
  expect(await textOf({ ...command("/help@ClawBot now") })).toBe("/help now");
  expect(await textOf({ ...group, ...command("/status") })).toBe("/status");
  expect(await textOf({ ...group, ...command("/status@ClawBot") })).toBe("/status");
  expect(await read({ ...group, ...command("/status@OtherBot") })).toMatchObject({ kind: "ignored" });
});

test("readMessage names the asker in a group's recipient, and the topic in session and recipient", async () => {
  const topic = { message_thread_id: 9, is_topic_message: true };
  const command = { text: "/status", ...marks("bot_command", "/status") };
  expect(await read({ ...group, ...topic, ...command })).toMatchObject({
    inbound: { recipient: "-100/9#7", sessionId: "telegram:-100:9", principal: "telegram:-100" },
  });
  // A thread of replies is no topic.
  expect(await read({ ...group, ...command, message_thread_id: 9 })).toMatchObject({
    inbound: { recipient: "-100#7", sessionId: "telegram:-100" },
  });
});

test("readMessage lets nobody in a group approve by text", async () => {
  const command = { text: "/approve@ClawBot apr_1 yes", ...marks("bot_command", "/approve@ClawBot") };
  expect(await read({ ...group, ...command })).toMatchObject({ kind: "told" });
  expect(await textOf(command)).toBe("/approve apr_1 yes");
});

test("readMessage marks what is forwarded, so that it is no command", async () => {
  const forwarded = { forward_origin: { type: "user", sender_user: { id: 8, first_name: "Eve]\n[x" } } };
  expect(await textOf({ ...forwarded, text: "/approve a yes", ...marks("bot_command", "/approve") })).toBe(
    "[Forwarded from Eve x]\n/approve a yes",
  );
});

test("readMessage shows what somebody else said that is answered to", async () => {
  const reply_to_message = { from: { id: 8, first_name: "Bob" }, text: "/new\nsecond" };
  expect(await textOf({ text: "Is that so?", reply_to_message })).toBe(
    "[In reply to Bob]\n> /new\n> second\n\nIs that so?",
  );
});

test("readMessage says in a line what it cannot read", async () => {
  expect(await textOf({ text: undefined, voice: { duration: 12, file_id: "x" } })).toContain(
    "[Voice message of 12 s",
  );
  expect(await textOf({ text: undefined, sticker: { emoji: "😀" } })).toBe("[Sticker 😀]");
  expect(await textOf({ text: undefined, caption: "See", video: { duration: 3 } })).toBe(
    "See\n[Video of 3 s: not seen]",
  );
});

test("readMessage ignores bots, channels, groups that speak, and what nobody said", async () => {
  for (const more of [
    { from: { id: 7, is_bot: true, first_name: "Bot" } },
    { from: undefined },
    { sender_chat: { id: -100, type: "supergroup" } },
    { chat: { id: -5, type: "channel" } },
    { chat: { id: 8, type: "private" } },
    { text: undefined, new_chat_members: [] },
    { text: " " },
  ])
    expect(await read(more)).toMatchObject({ kind: "ignored" });
});
