import { expect, test } from "bun:test";
import { createPrompt } from "../../src/agent/prompt.ts";
import { plainRequest } from "../../src/agent/turn.ts";
import { aTurn } from "../helpers/a-turn.ts";

const asked: string[] = [];
const prompt = createPrompt({
  tools: ["time"],
  readRoots: [],
  writeRoots: [],
  autonomy: "supervised",
  workspaceNotes: async () => (asked.push("notes"), "Use tabs."),
  recall: async () => (asked.push("recall"), "Recalled."),
});
const toolsOff = { ...plainRequest, toolsOn: false, clientSystem: ["Make a title."] };

test("createPrompt keeps a front end's helper call cheap: no tools and no session, no notes and no search", async () => {
  const text = await prompt(aTurn({ request: toolsOff }));

  expect(asked).toEqual([]);
  expect(text).not.toContain("Use tabs.");
  expect(text).toEndWith("Make a title.");
});

test("createPrompt tells a kept session's turn what is known, its tools on or off", async () => {
  for (const request of [plainRequest, toolsOff]) {
    const text = await prompt(aTurn({ sessionId: "s", request }));
    expect(text).toContain("Use tabs.");
    expect(text).toContain("Recalled.");
  }
});
