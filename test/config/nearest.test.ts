import { expect, test } from "bun:test";
import { nearest } from "../../src/config/nearest.ts";

test("nearest finds the word with the fewest edits: inserted, removed, replaced", () => {
  const words = ["PORT", "BIND_ADDRESS", "AUTH_TOKEN"];
  expect(nearest("PORTS", words)).toBe("PORT");
  expect(nearest("PRT", words)).toBe("PORT");
  expect(nearest("PORD", words)).toBe("PORT");
  expect(nearest("BINDADRESS", words)).toBe("BIND_ADDRESS");
  expect(nearest("AUTH_TOKEN", words)).toBe("AUTH_TOKEN");
});

test("nearest finds nothing for a word that nobody meant", () => {
  expect(nearest("FOO", ["PORT"])).toBeUndefined();
  expect(nearest("SOMETHING_ELSE", ["PORT", "BIND_ADDRESS"])).toBeUndefined();
  expect(nearest("X".repeat(100_000), ["PORT"])).toBeUndefined();
  expect(nearest("PORT", [])).toBeUndefined();
});
