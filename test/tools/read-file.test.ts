import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let at: Workspace;
beforeEach(() => {
  at = aWorkspace();
});
afterEach(() => at.remove());

const put = (name: string, content: string | Uint8Array) => writeFileSync(join(at.work, name), content);
const read = async (input: object) => (await at.call("read_file", input)).text;

test("read_file reads a whole small file, by a relative or an absolute path", async () => {
  put("a b.txt", "one\ntwo\n");
  expect(await read({ path: "a b.txt" })).toBe("one\ntwo");
  expect(await read({ path: join(at.work, "a b.txt") })).toBe("one\ntwo");
  expect(await at.call("read_file", { path: "A B.txt" })).toMatchObject({
    status: "error",
    text: "Cannot read A B.txt: it does not exist.",
  });
});

test("read_file pages by lines and says how to go on", async () => {
  put("lines", Array.from({ length: 10 }, (_, index) => `line ${index + 1}`).join("\n"));
  expect(await read({ path: "lines", max_lines: 2 })).toBe(
    "line 1\nline 2\n[There is more: call again with from=3]",
  );
  expect(await read({ path: "lines", from: 9, max_lines: 2 })).toBe("line 9\nline 10");
  expect(await read({ path: "lines", from: 11 })).toBe("(There is no line 11: the file has 10 lines.)");
});

test("read_file gives every line of a big file exactly once, in pages of at most 64 KiB", async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${"ü€😀".repeat(index % 40)}`);
  put("big", lines.join("\n"));
  const got: string[] = [];
  for (let from: number | undefined = 1; from !== undefined;) {
    const page = await read({ path: "big", from });
    const more = /\n\[There is more: call again with from=(\d+)\]$/.exec(page);
    const text = more === null ? page : page.slice(0, more.index);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    got.push(...text.split("\n"));
    from = more === null ? undefined : Number(more[1]);
  }
  expect(got).toEqual(lines);
});

test("read_file cuts a huge line and still finds the next", async () => {
  put("huge", `${"x".repeat(5_000_000)}\nnext`);
  expect(await read({ path: "huge" })).toBe(
    `${"x".repeat(10_000)} [Cut here: 4990000 more characters of this line are left out]\nnext`,
  );
});

test.each([
  ["", "(The file is empty.)"],
  ["\n", ""],
  ["a\r\nb\r\n", "a\nb"],
  ["\ufeffmark", "mark"],
  ["a\n\n", "a\n"],
])("read_file reads %j", async (content, text) => {
  put("file", content);
  expect(await read({ path: "file" })).toBe(text === "" ? "(The tool answered with nothing.)" : text);
});

test("read_file says what a file is that is no text", async () => {
  put("picture", Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(12_000)]));
  expect(await at.call("read_file", { path: "picture" })).toMatchObject({
    status: "error",
    text: "Cannot read picture as text: it is a PNG image, 12 kB.",
  });
});

test("read_file puts a character together that lies across two blocks", async () => {
  put("split", `${"x".repeat(65_535)}€\n`);
  expect(await read({ path: "split", from: 1 })).toContain("55536 more characters");
  put("split", `${"x\n".repeat(32_767)}x€`);
  expect(await read({ path: "split", from: 32_768 })).toBe("x€");
});
