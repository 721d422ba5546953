import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createPrograms } from "../../src/sandbox/processes/create-programs.ts";
import { createNarrowFiles, type NarrowFiles } from "../../src/sandbox/files/narrow-files.ts";
import type { Programs } from "../../src/sandbox/processes/programs.ts";
import { programSettings } from "../sandbox/sandboxed.ts";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let ask: NarrowFiles | undefined;
const answers: (number | undefined)[] = [];
let programs: Programs;
let at: Workspace;

const put = (name: string, content: string) => {
  mkdirSync(dirname(join(at.work, name)), { recursive: true });
  writeFileSync(join(at.work, name), content);
};

beforeAll(async () => {
  at = aWorkspace({
    narrowFiles: async (narrowing, signal) => {
      const told = await ask?.(narrowing, signal);
      answers.push(told?.size);
      return told;
    },
  });
  programs = await createPrograms(programSettings, { never: [at.data], workspace: at.work });
  for (let index = 0; index < 2600; index += 1) {
    const odd = index % 100 === 7 ? "a Needle of it\r\n" : index % 500 === 3 ? "needle\0" : "";
    put(`many/${index % 40}/.deep ${index % 7}/file ${index}`, `one\ntwo é\n${odd}three\n`);
  }
  put("many/39/node_modules/x", "needle");
});
afterAll(async () => {
  await programs.close();
  at.remove();
});

/** The same question to both: with the host's ripgrep and without it. */
async function both(input: object) {
  const options = { pattern: "needle", path: "many", ...input };
  ask = undefined;
  const own = (await at.call("search_files", options)).text;
  answers.length = 0;
  ask = createNarrowFiles({ programs: async () => programs, read: [at.work] });
  const quick = (await at.call("search_files", options)).text;
  return { own, quick, answers: [...answers] };
}

test("search_files says the same with ripgrep and without it", async () => {
  for (const input of [
    {},
    { ignore_case: true },
    { pattern: "n[e]+dle\\b", regex: true, ignore_case: true },
    { pattern: "é$", regex: true, max_results: 200 },
    { pattern: "Needle", max_results: 20 },
    { pattern: "there is no such thing" },
  ]) {
    const { own, quick, answers } = await both(input);
    expect(quick).toBe(own);
    // What is everywhere is found before anybody is asked.
    if (!own.includes("There are more than")) expect(answers.every((size) => Number(size) < 100)).toBe(true);
    if (!own.includes("There are more than")) expect(answers).not.toEqual([]);
  }
});

test("search_files reads all by itself where ripgrep cannot", async () => {
  const closed = "many/39/.deep 0/closed";
  put(closed, "needle");
  chmodSync(join(at.work, closed), 0);
  const { own, quick, answers } = await both({ pattern: "Needle" });
  expect(quick).toBe(own);
  expect(answers).toEqual([undefined]);
  chmodSync(join(at.work, closed), 0o644);
});

test("search_files ends when it is cancelled while ripgrep is asked", async () => {
  const asked = Promise.withResolvers<void>();
  ask = (_, signal) =>
    new Promise((resolve) => {
      asked.resolve();
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
  const cancel = new AbortController();
  const running = at.call("search_files", { pattern: "nothing", path: "many" }, { signal: cancel.signal });
  await asked.promise;
  cancel.abort();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
});
