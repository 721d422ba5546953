import { expect, test } from "bun:test";
import { createOutbox } from "../../../src/gateway/web/page/outbox.ts";

function storage(kept: Record<string, string> = {}) {
  return {
    kept,
    getItem: (name: string) => kept[name] ?? null,
    setItem: (name: string, value: string) => {
      kept[name] = value;
    },
  };
}
const message = (messageId: string, sessionId = "s") => ({ sessionId, messageId, text: "hi" });

test("createOutbox gives back after a reload what was not accepted, session by session", () => {
  const disk = storage();
  const before = createOutbox(disk);
  for (const one of [message("1"), message("2"), message("3", "other")]) before.add(one);
  before.remove("1");
  const after = createOutbox(disk);
  expect(after.of("s")).toEqual([message("2")]);
  expect(after.of("other")).toEqual([message("3", "other")]);
});

test("createOutbox works with a storage that holds nonsense or refuses to keep", () => {
  const full = {
    getItem: () => '{"not":"a list"}',
    setItem: () => {
      throw new Error("full");
    },
  };
  const outbox = createOutbox(full);
  outbox.add(message("1"));
  expect(outbox.of("s")).toEqual([message("1")]);
});
