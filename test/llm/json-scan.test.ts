import { expect, test } from "bun:test";
import fc from "fast-check";
import { createJsonScan } from "../../src/llm/json-scan.ts";

test("createJsonScan sees an object closed at its last character and not before", () => {
  const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
  fc.assert(
    fc.property(object, (value) => {
      const scan = createJsonScan();
      const text = JSON.stringify(value);
      for (const char of text.slice(0, -1)) {
        scan.push(char);
        expect(scan.closed()).toBe(false);
      }
      scan.push(text.slice(-1));
      expect(scan.closed()).toBe(true);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("createJsonScan does not take a text without an object for closed", () => {
  const scan = createJsonScan();
  scan.push("17 true null");
  expect(scan.closed()).toBe(false);
});
