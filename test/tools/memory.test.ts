import { expect, test } from "bun:test";
import type { CanNotes, Note } from "../../src/sandbox/capabilities.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { tools } from "../../src/tools/index.ts";
import { runCall } from "../sandbox/workspace.ts";

/** Notes in memory, with the plainest search. */
function someNotes(): CanNotes {
  const kept = new Map<string, Note>();
  const all = () => [...kept.values()];
  return {
    get: async (key) => kept.get(key),
    put: async (key, content) => void kept.set(key, { key, content, updatedAt: 0 }),
    remove: async (key) => kept.delete(key),
    list: async (limit) => all().slice(0, limit),
    search: async (query, { prefix = "", limit }) =>
      all()
        .filter(({ key, content }) => key.startsWith(prefix) && content.includes(query))
        .slice(0, limit),
  };
}

function aMemory() {
  const notes = someNotes();
  const sandbox = createSandbox({ tools, lend: { notes: () => notes }, timeoutMs: 5000, timeoutMaxMs: 5000 });
  const call = (name: string, input: object) => runCall(sandbox.prepare(name, JSON.stringify(input)));
  return { sandbox, call, memory: async (input: object) => (await call("memory", input)).text };
}

test("memory saves, reads, lists and deletes notes with the answers that clients know", async () => {
  const { memory } = aMemory();
  expect(await memory({ action: "list" })).toBe("There are no notes.");
  expect(await memory({ action: "write", key: "diet", content: "no nuts\nno milk" })).toBe(
    "Saved note: diet",
  );
  expect(await memory({ action: "read", key: "diet" })).toBe("no nuts\nno milk");
  expect(await memory({ action: "list" })).toBe("diet: no nuts no milk");
  expect(await memory({ action: "delete", key: "diet" })).toBe("Deleted note: diet");
  expect(await memory({ action: "delete", key: "diet" })).toBe("No note found for key: diet");
  expect(await memory({ action: "read", key: "diet" })).toBe("No note found for key: diet");
});

test("memory says what is missing or too much", async () => {
  const { memory } = aMemory();
  expect(await memory({ action: "write", key: "a" })).toBe("Cannot write: the parameter content is missing.");
  expect(await memory({ action: "read" })).toBe("Cannot read: the parameter key is missing.");
  expect(await memory({ action: "burn" })).toContain("action: Invalid type");
  expect(await memory({ action: "write", key: "k".repeat(201), content: "x" })).toContain(
    "key: Invalid length",
  );
});

test("memory does not count as a change, so it never asks", () => {
  expect(aMemory().sandbox.prepare("memory", '{"action":"write","key":"a","content":"b"}')).toMatchObject({
    effect: "reads",
  });
});

test("memory bounds its list", async () => {
  const { memory } = aMemory();
  for (let index = 0; index < 205; index += 1)
    await memory({ action: "write", key: `k${index}`, content: "x".repeat(500) });
  const lines = (await memory({ action: "list" })).split("\n");
  expect(lines).toHaveLength(201);
  expect(lines[0]).toBe(`k0: ${"x".repeat(80)}…`);
  expect(lines[200]).toContain("more than 200 notes");
});

test("memory_search finds notes by words and prefix, bounded", async () => {
  const { memory, call } = aMemory();
  await memory({ action: "write", key: "food/diet", content: "no nuts" });
  await memory({ action: "write", key: "work/diet", content: `nuts ${"x".repeat(2000)}` });
  expect((await call("memory_search", { query: "nuts", prefix: "food/" })).text).toBe("food/diet: no nuts");
  expect((await call("memory_search", { query: "nuts" })).text).toEndWith(
    "[Cut here: read the note for 1005 more characters]",
  );
  expect((await call("memory_search", { query: "nuts", limit: 1 })).text).toBe("food/diet: no nuts");
  expect((await call("memory_search", { query: "milk" })).text).toBe("No notes found for: milk");
  expect((await call("memory_search", { query: "x", limit: 51 })).status).toBe("error");
});
