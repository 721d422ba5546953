import { describe, expect, test } from "bun:test";
import { structuredPatch } from "diff";
import fc from "fast-check";
import { patchText } from "../../../src/sandbox/files/patch-text.ts";
import { readPatch } from "../../../src/sandbox/files/read-patch.ts";
import { runs } from "../../helpers/long.ts";

const numbered = Array.from({ length: 8 }, (_, at) => `line${at + 1}\n`).join("");

/** The text with the hunks of a unified diff applied. */
async function applied(text: string, hunks: string): Promise<string> {
  const [file] = await readPatch(`--- a/f\n+++ b/f\n${hunks}`);
  if (file === undefined) throw new Error("no file in the patch");
  return patchText(text, file.patch, "f");
}

describe("patchText", () => {
  test.each([
    ["in another order than the file", "@@ -6 +6 @@\n-line6\n+SIX\n@@ -2 +2 @@\n-line2\n+TWO\n", numbered],
    ["given twice", "@@ -2 +2 @@\n-line2\n+TWO\n@@ -2 +2 @@\n-line2\n+TWO\n", numbered],
    [
      "that say wrong places in another order",
      "@@ -7 +7 @@\n-}\n+};\n@@ -2 +2 @@\n-a\n+b\n",
      "x\na\n}\ny\nz\nw\n}\nq\n",
    ],
    [
      "of which the second fits what the first took away",
      "@@ -1,4 +1,4 @@\n a\n b\n-}\n+C\n }\n@@ -4 +4,2 @@\n }\n+NEW\n",
      "a\nx\nb\n}\n}\n",
    ],
  ])("refuses hunks %s, and brings no line back", async (_name, hunks, text) => {
    await expect(applied(text, hunks)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringMatching(/^Cannot apply hunk 2 of 2 .* below those of hunk 1/),
    });
  });

  test("applies hunks that share context, also where it shows a line as it was before the hunk above", async () => {
    const first = "@@ -1,4 +1,4 @@\n line1\n-line2\n+TWO\n line3\n line4\n";
    const fresh = numbered.replace("line2", "TWO");
    const shared = "@@ -4,3 +4,3 @@\n line4\n line5\n-line6\n+SIX\n";
    expect(await applied(numbered, first + shared)).toBe(fresh.replace("line6", "SIX"));
    const stale = "@@ -2,4 +2,4 @@\n line2\n line3\n-line4\n+FOUR\n line5\n";
    expect(await applied(numbered, first + stale)).toBe(fresh.replace("line4", "FOUR"));
  });

  test("finds hunks that are in order though all of them say the same place", async () => {
    const hunks = [2, 4, 7].map((line) => `@@ -1 +1 @@\n-line${line}\n+new${line}\n`).join("");
    expect(await applied(numbered, hunks)).toBe(numbered.replaceAll(/line([247])/g, "new$1"));
  });

  test("finds lines in a text of both kinds of line ends, and leaves those that it keeps", async () => {
    const hunks = "@@ -1,4 +1,4 @@\n one\n-two\n-three\n+2\n+3\n four\n";
    expect(await applied("one\r\ntwo\nthree\r\nfour\r\n", hunks)).toBe("one\r\n2\n3\nfour\r\n");
  });

  test("puts lines without context at the end where the file is shorter than they say", async () => {
    expect(await applied("a\n", "@@ -7,0 +8 @@\n+new\n")).toBe("a\nnew\n");
    expect(await applied("a", "@@ -7,0 +8 @@\n+new\n")).toBe("a\nnew");
    expect(await applied("", "@@ -7,0 +8 @@\n+new\n")).toBe("new\n");
  });

  test("takes the hunks of a diff in their order only, whatever two texts differ by", async () => {
    const gap = fc.constantFrom("keep", "keep", "change", "drop", "add");
    const property = fc.asyncProperty(
      fc.array(gap, { minLength: 2, maxLength: 30 }),
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
      async (acts, context, ends) => {
        const end = ends ? "\n" : "";
        const from = acts.map((_, at) => `${at}`).join("\n") + end;
        const to =
          acts
            .flatMap((act, at) =>
              act === "drop" ? [] : act === "add" ? [`${at}`, "new"] : [act === "keep" ? `${at}` : "changed"],
            )
            .join("\n") + end;
        const patch = structuredPatch("f", "f", from, to, "", "", { context });
        expect(await patchText(from, patch, "f")).toBe(to);
        const hunks = patch.hunks.toReversed();
        if (hunks.length < 2 || hunks.some(({ oldLines }) => oldLines === 0)) return;
        await expect(patchText(from, { ...patch, hunks }, "f")).rejects.toMatchObject({
          code: "bad_request",
        });
      },
    );
    await fc.assert(property, { numRuns: runs(200, 5000) });
  });
});
