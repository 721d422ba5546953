import { afterAll, beforeAll, expect, test } from "bun:test";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

let at: ToolWorkspace;
beforeAll(async () => {
  at = await startToolWorkspace();
});
afterAll(() => at?.[Symbol.asyncDispose]());

test("memory, memory_search and time work on the executable", async () => {
  await at.call("memory", { action: "write", key: "cat", content: "likes warm keyboards" });
  expect((await at.call("memory", { action: "read", key: "cat" })).text).toBe("likes warm keyboards");
  expect((await at.call("memory_search", { query: "keyboards" })).text).toContain(
    "cat: likes warm keyboards",
  );
  expect((await at.call("memory", { action: "delete", key: "cat" })).text).toBe("Deleted note: cat");
  const { text } = await at.call("time", { zone: "Europe/Berlin" });
  expect(text).toContain("(Europe/Berlin)");
  expect(Date.parse(/ISO 8601: (\S+)/.exec(text)?.[1] ?? "")).toBeWithin(Date.now() - 60_000, Date.now() + 1);
});

test("project_memory keeps the notes of the project on the executable, apart from one's own", async () => {
  await at.call("project_memory", { action: "save", key: "plan", content: "to the moon" });
  expect((await at.call("project_memory", { action: "list" })).text).toBe("plan");
  expect((await at.call("project_memory", { action: "load", key: "plan" })).text).toBe("to the moon");
  expect((await at.call("memory", { action: "read", key: "plan" })).text).toContain("No note found");
  expect((await at.call("project_memory", { action: "delete", key: "plan" })).text).toContain("Deleted");
});

test("sessions lists, reads and writes the caller's sessions on the executable", async () => {
  await at.call("time", {}, { sessionId: "earlier" });
  expect((await at.call("sessions", { action: "list" })).text).toContain("earlier");
  const history = await at.call("sessions", { action: "history", sessionId: "earlier" });
  expect(history.text).toContain("Please call");
  const sent = await at.call("sessions", { action: "send", sessionId: "earlier", message: "Are you there?" });
  expect(sent.text).toContain("Sent to earlier");
  const nobodys = await at.call("sessions", { action: "history", sessionId: "nobodys" });
  expect(nobodys.status).not.toBe("ok");
});
