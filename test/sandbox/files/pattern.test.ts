import { expect, test } from "bun:test";
import fc from "fast-check";
import { findInLine } from "../../../src/sandbox/files/pattern.ts";
import { workedMs } from "../../helpers/worked-ms.ts";
import { pattern } from "../any-pattern.ts";

const regex = (source: string, ignoreCase = false) => findInLine(source, { regex: true, ignoreCase });

const line = fc.string({
  unit: fc.constantFrom("a", "b", "c", "A", "B", "_", "-", " ", ".", "1", "]", "é", "É", "\t"),
  maxLength: 12,
});

test("findInLine agrees with JavaScript about which lines a pattern matches", () => {
  fc.assert(
    fc.property(pattern, line, fc.boolean(), (source, text, ignoreCase) => {
      let find: (line: string) => number;
      try {
        find = regex(source, ignoreCase);
      } catch (error) {
        // Only what is too big may be refused here.
        return String(error).includes("too big");
      }
      return find(text) >= 0 === new RegExp(source, ignoreCase ? "i" : "").test(text);
    }),
    { numRuns: 3000 },
  );
});

test.each([
  "(a+)+$",
  "(a|a)*b",
  "(a|aa)+$",
  "(.*)*x",
  "a*a*a*a*a*a*a*a*b",
  "(a|b)*a(a|b){40}c",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
])("findInLine stays quick with %s", (source) => {
  const find = regex(source);
  const begin = workedMs();
  find("a".repeat(16_384));
  find(`${"ab".repeat(8192)}!`);
  expect(workedMs() - begin).toBeLessThan(2000);
});

test.each([
  ["a{9999}", "too big"],
  ["a{99999999}", "too big"],
  [`(){${"9".repeat(400)}}`, "too big"],
  ["((((){9999}){9999}){9999}){9999}", "too big"],
  ["(".repeat(51) + ")".repeat(51), "nested too deeply"],
  ["(".repeat(100_000), "longer than"],
  ["(a", "not closed"],
  ["a)", "has no ("],
  ["[a", "not closed"],
  ["[b-a]", "not in order"],
  ["a{3,2}", "not in order"],
  ["*", "nothing to repeat"],
  ["^*", "nothing to repeat"],
  ["a**", "nothing to repeat"],
  ["\\", "ends with a backslash"],
  ["\\1", "references"],
  ["(?=a)", "look-around"],
  ["(?<!a)", "look-around"],
  ["(?<name>a)", "no names"],
  ["\\p{L}", "not supported"],
])("findInLine refuses the pattern at once (case %#)", (source, why) => {
  expect(() => regex(source)).toThrow(why);
});

test("findInLine takes a text as it stands unless it is a pattern", () => {
  const text = findInLine("a.b*", { regex: false, ignoreCase: false });
  expect([text("xa.b*"), text("aXbb")]).toEqual([1, -1]);
  expect(findInLine("É.", { regex: false, ignoreCase: true })("xé.")).toBe(1);
});
