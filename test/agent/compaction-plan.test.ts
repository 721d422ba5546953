import { expect, test } from "bun:test";
import { planCompaction } from "../../src/agent/compaction-plan.ts";
import { assistantMessage, type Message, toolMessage, userMessage } from "../../src/llm/message.ts";
import type { Entry } from "../../src/store/sessions.ts";
import { call } from "../helpers/scripted-llm.ts";

const entriesOf = (...messages: readonly Message[]): Entry[] =>
  messages.map((message, at) => ({ id: `e${at}`, sessionId: "s1", depth: at + 1, message, createdAt: 1 }));

test("planCompaction keeps the last question and never begins with a result", () => {
  const asked = call("look", {}, "a");
  const path = entriesOf(
    userMessage("one"),
    assistantMessage("", [asked]),
    toolMessage("a", "x".repeat(500)),
    assistantMessage("so"),
    userMessage("two"),
    assistantMessage("", [asked]),
    toolMessage("a", "y".repeat(500)),
  );
  const kept = (keepBytes: number, gainBytes = 1) =>
    path.findIndex(({ id }) => id === planCompaction(path, { keepBytes, gainBytes })?.keptFrom.id);

  expect(kept(0)).toBe(4);
  expect(kept(900)).toBe(3);
  // The result before would fit, but not its call.
  expect(kept(1350)).toBe(3);
  expect(kept(1e6)).toBe(1);
  expect(kept(0, 1e6)).toBe(-1);
  expect(planCompaction(path.slice(0, 2), { keepBytes: 0, gainBytes: 1 })).toBeUndefined();
  expect(planCompaction([], { keepBytes: 0, gainBytes: 1 })).toBeUndefined();
});
