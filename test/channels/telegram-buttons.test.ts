import { expect, test } from "bun:test";
import { readButton, writeButtons } from "../../src/channels/telegram-buttons.ts";

const key = "a key";
const question = { approvalId: "apr_0123456789abcdef", asked: "1234567890123456", chat: "-1001234567890" };
const dataOf = (at: number) => writeButtons(key, question)?.inline_keyboard.flat()[at]?.callback_data ?? "";
const press = (data: string, presser = question.asked, chat = question.chat) =>
  readButton(key, data, { presser, chat });

test("writeButtons fits what Telegram takes, and readButton reads it", () => {
  for (const at of [0, 1, 2]) expect(dataOf(at).length).toBeLessThanOrEqual(64);
  expect(press(dataOf(0))).toEqual({ approvalId: question.approvalId, approved: true, scope: "once" });
  expect(press(dataOf(1))).toEqual({ approvalId: question.approvalId, approved: false, scope: "once" });
  expect(press(dataOf(2))).toEqual({ approvalId: question.approvalId, approved: true, scope: "session" });
});

test("readButton refuses another presser, another chat, and data that was changed or made up", () => {
  expect(press(dataOf(0), "8")).toBe("not_yours");
  expect(press(dataOf(0), question.asked, "-100")).toBe("not_ours");
  expect(press(dataOf(0).replace(question.asked, "8"), "8")).toBe("not_ours");
  expect(press(dataOf(1).replace("n.", "y."))).toBe("not_ours");
  expect(readButton("another key", dataOf(0), { presser: question.asked, chat: question.chat })).toBe(
    "not_ours",
  );
  for (const data of [
    "",
    "y",
    "x.".repeat(30),
    "y.apr_1.7.é".padEnd(30, "é"),
    `__proto__.${dataOf(0).slice(2)}`,
  ])
    expect(press(data)).toBe("not_ours");
});

test("writeButtons makes none where they would not fit", () => {
  expect(writeButtons(key, { ...question, approvalId: "a".repeat(40) })).toBeUndefined();
});
