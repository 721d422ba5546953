import { expect, test } from "bun:test";
import { readArguments, summary, visible } from "../../../src/gateway/web/page/parts/arguments.tsx";

test("visible shows signs that would make a call look like another one", () => {
  expect(visible("safe\u202Egnp.exe\u200b\u0007")).toBe("safe⟨202e⟩gnp.exe⟨200b⟩⟨0007⟩");
  expect(visible("line\n\ttab ünï 漢字 🙂")).toBe("line\n\ttab ünï 漢字 🙂");
});

test("readArguments reads whole objects alone", () => {
  expect(readArguments('{"path":"a"}')).toEqual({ path: "a" });
  for (const text of ['{"path":"a', "[1]", "null", "", "…"]) expect(readArguments(text)).toBeUndefined();
});

test("summary is one line of the first argument, or of a preview that was cut", () => {
  expect(summary('{"content":"a\\n b","path":"x"}')).toBe("a b");
  expect(summary('{"content":"a…')).toBe('{"content":"a…');
  expect(summary("{}")).toBe("");
});
