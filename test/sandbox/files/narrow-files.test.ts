import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { binaryKind } from "../../../src/sandbox/files/file-kind.ts";
import { createNarrowFiles } from "../../../src/sandbox/files/narrow-files.ts";
import { findInLine, type LinePattern } from "../../../src/sandbox/files/pattern.ts";
import { runs } from "../../helpers/long.ts";
import { pattern as anyPattern } from "../any-pattern.ts";
import { type Sandboxed, sandboxed } from "../sandboxed.ts";

let at: Sandboxed;
beforeAll(async () => {
  at = await sandboxed();
});
afterAll(() => at[Symbol.asyncDispose]());

const forever = new AbortController().signal;
const bytesOf = (text: string) => Buffer.from(text);

/** Pieces of files that are hard to tell apart: bytes that are no UTF-8, marks of other encodings, cases beyond ASCII. */
const piece = fc.oneof(
  fc
    .string({
      unit: fc.constantFrom(..."abcABC_- .1]éÉ\tikIKsS\u0130\u212a\u017fß😀\ufffd\ufeff"),
      maxLength: 6,
    })
    .map(bytesOf),
  fc.constantFrom("\n", "\r\n", "\r", "\u2028").map(bytesOf),
  fc
    .constantFrom([0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f], [0xed, 0xa0, 0x80])
    .map((bytes) => Buffer.from(bytes)),
);
const odd = fc.constantFrom(
  "\0",
  "%PDF-1",
  "\x89PNG\r\n\x1a\n",
  "\xff\xfea",
  "\xef\xbb\xbfab",
  "\x1f\x8b",
  "é234567WEBP",
  "BZh",
);
const content = fc
  .tuple(fc.option(odd, { freq: 6 }), fc.array(piece, { maxLength: 8 }))
  .map(([start, pieces]) => Buffer.concat([Buffer.from(start ?? "", "latin1"), ...pieces]));
const linePattern = fc.oneof(
  fc.record({
    text: fc.string({
      unit: fc.constantFrom(..."abAB(.]éikIK\u0130\u212a😀\ufffd\ufeff"),
      minLength: 1,
      maxLength: 3,
    }),
    regex: fc.constant(false),
    ignoreCase: fc.boolean(),
  }),
  fc.record({ text: anyPattern, regex: fc.constant(true), ignoreCase: fc.boolean() }),
);

/** What our own search makes of a file. */
function isWanted(bytes: Buffer, pattern: LinePattern): boolean {
  if (binaryKind(bytes) !== undefined) return true;
  const find = findInLine(pattern.text, pattern);
  const text = new TextDecoder().decode(bytes);
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  if (lines.at(-1) === "") lines.pop();
  return lines.some((line) => find(line) >= 0);
}

function put(name: string, bytes: string | Uint8Array) {
  mkdirSync(dirname(join(at.workspace, name)), { recursive: true });
  writeFileSync(join(at.workspace, name), bytes);
}

test("createNarrowFiles leaves out no file in which our own search finds something", async () => {
  const narrow = createNarrowFiles({ programs: async () => at.programs, read: [at.workspace] });
  let run = 0;
  let told = 0;
  const contents = fc.array(content, { minLength: 10, maxLength: 60 });
  const property = fc.asyncProperty(contents, linePattern, async (all, pattern) => {
    try {
      findInLine(pattern.text, pattern);
    } catch {
      return;
    }
    run += 1;
    const files = all.map((_, index) => `run-${run}/${index % 3}/.file ${index}`);
    for (const [index, name] of files.entries()) put(name, all[index] ?? "");
    const found = await narrow({ folder: at.workspace, files, pattern }, forever);
    if (found === undefined) return;
    told += 1;
    for (const [index, name] of files.entries())
      if (isWanted(all[index] ?? Buffer.of(), pattern)) expect(found).toContain(name);
  });
  await fc.assert(property, { numRuns: runs(50, 2000) });
  expect(told).toBeGreaterThan(run / 4);
});

test("createNarrowFiles tells the few that are worth reading, whatever their names and ignore files say", async () => {
  const narrow = createNarrowFiles({ programs: async () => at.programs, read: [at.workspace] });
  put("few/.ignore", "*");
  put("few/-v", "no");
  put("few/--help/a", "needle");
  put("few/two\nlines", "no");
  put("few/.hidden", "needle");
  put("few/plain", "no");
  const files = ["few/.ignore", "few/-v", "few/--help/a", "few/two\nlines", "few/.hidden", "few/plain"];
  const pattern = { text: "needle", regex: false, ignoreCase: false };
  const found = (await narrow({ folder: at.workspace, files, pattern }, forever)) ?? new Set();
  // A name of two lines cannot be told, so that file is to be read.
  expect(files.filter((file) => found.has(file))).toEqual(["few/--help/a", "few/two\nlines", "few/.hidden"]);
});

test("createNarrowFiles tells nothing where it cannot, and does not wait for others when it is stopped", async () => {
  const pattern = { text: "needle", regex: false, ignoreCase: false };
  put("one", "needle");
  const one = { folder: at.workspace, files: ["one"], pattern };
  const narrow = createNarrowFiles({ programs: async () => at.programs, read: [at.workspace] });
  const gone = { ...one, files: ["one", "gone/file"] };
  expect(await narrow(gone, forever)).toBeUndefined();
  const every = { ...one, pattern: { text: "a*", regex: true, ignoreCase: false } };
  expect(await narrow(every, forever)).toBeUndefined();
  const refused = createNarrowFiles({
    programs: () => Promise.reject(new Error("no sandbox")),
    read: [at.workspace],
  });
  expect(await refused(one, forever)).toBeUndefined();

  const hanging = Promise.withResolvers<never>();
  const called = Promise.withResolvers<void>();
  const stuck = createNarrowFiles({
    programs() {
      called.resolve();
      return hanging.promise;
    },
    read: [at.workspace],
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const waiting = [stuck(one, first.signal), stuck(one, second.signal)];
  await called.promise;
  second.abort();
  expect(await waiting[1]).toBeUndefined();
  first.abort();
  expect(await waiting[0]).toBeUndefined();
  hanging.reject(new Error("over"));
});
