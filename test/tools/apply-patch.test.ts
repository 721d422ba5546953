import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createTwoFilesPatch } from "diff";
import fc from "fast-check";
import { runs } from "../helpers/long.ts";
import { workedMs } from "../helpers/worked-ms.ts";
import { aWorkspace, type Workspace } from "../sandbox/workspace.ts";

let at: Workspace;
beforeEach(() => {
  at = aWorkspace();
});
afterEach(() => at.remove());

const put = (name: string, text: string) => writeFileSync(join(at.work, name), text);
const get = (name: string) => readFileSync(join(at.work, name), "utf8");
const apply = (patch: string, signal?: AbortSignal) =>
  at.call("apply_patch", { patch }, signal === undefined ? {} : { signal });
const numbered = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join("");

const several = `diff --git a/old.txt b/old.txt
--- a/old.txt
+++ b/old.txt
@@ -1,3 +1,3 @@
 one
-two
+TWO
 three
diff --git a/sub/new.txt b/sub/new.txt
new file mode 100644
--- /dev/null
+++ b/sub/new.txt
@@ -0,0 +1,2 @@
+fresh
+file
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
`;

describe("apply_patch", () => {
  test("changes, makes and deletes several files at once, and says what it did", async () => {
    put("old.txt", "one\ntwo\nthree\n");
    put("gone.txt", "bye\n");
    chmodSync(join(at.work, "old.txt"), 0o604);
    expect(await apply(several)).toMatchObject({
      status: "ok",
      text: "Changed old.txt (+1 -1)\nCreated sub/new.txt (+2 -0)\nDeleted gone.txt",
    });
    expect(get("old.txt")).toBe("one\nTWO\nthree\n");
    expect(statSync(join(at.work, "old.txt")).mode & 0o777).toBe(0o604);
    expect(get("sub/new.txt")).toBe("fresh\nfile\n");
    expect(readdirSync(at.work).sort()).toEqual([".data", "old.txt", "sub"]);
  });

  test("renames and copies as git writes it", async () => {
    put("a.txt", "one\ntwo\n");
    const patch = `diff --git a/a.txt b/b.txt
similarity index 50%
rename from a.txt
rename to b.txt
--- a/a.txt
+++ b/b.txt
@@ -1,2 +1,2 @@
 one
-two
+2
`;
    chmodSync(join(at.work, "a.txt"), 0o751);
    expect((await apply(patch)).text).toBe("Renamed a.txt to b.txt (+1 -1)");
    expect(statSync(join(at.work, "b.txt")).mode & 0o777).toBe(0o751);
    expect(existsSync(join(at.work, "a.txt"))).toBe(false);
    expect(get("b.txt")).toBe("one\n2\n");
    const copy = "diff --git a/b.txt b/c.txt\nsimilarity index 100%\ncopy from b.txt\ncopy to c.txt\n";
    expect((await apply(copy)).text).toBe("Copied b.txt to c.txt (+0 -0)");
    expect([get("b.txt"), get("c.txt")]).toEqual(["one\n2\n", "one\n2\n"]);
  });

  test("changes nothing when one hunk of one file does not fit, and shows the nearest lines", async () => {
    put("old.txt", "one\ntwo\nthree\n");
    put("gone.txt", "something else\n");
    const result = await apply(several);
    expect(result.status).toBe("error");
    expect(result.text).toContain("Cannot apply hunk 1 of 1 (@@ -1,1 +1,0 @@) to gone.txt");
    expect(result.text).toContain("-bye\nThe file has, as the nearest lines:\n1: something else");
    expect(get("old.txt")).toBe("one\ntwo\nthree\n");
    expect(readdirSync(at.work).sort()).toEqual([".data", "gone.txt", "old.txt"]);
  });

  test("names the hunk that does not fit", async () => {
    put("file", numbered);
    const hunk = (line: number, old: string) =>
      `@@ -${line},3 +${line},3 @@\n line ${line}\n-${old}\n+new\n line ${line + 2}\n`;
    const patch = `--- a/file\n+++ b/file\n${hunk(2, "line 3")}${hunk(10, "line 11")}${hunk(20, "other")}`;
    const { text } = await apply(patch);
    expect(text).toContain("Cannot apply hunk 3 of 3 (@@ -20,3 +20,3 @@) to file");
    expect(text).toContain("20: line 20\n21: line 21");
    expect(get("file")).toBe(numbered);
  });

  test("finds a hunk whose place has moved and whose context differs a little", async () => {
    put("file", `first\nsecond\n${numbered}`);
    const patch = "--- a/file\n+++ b/file\n@@ -4,4 +4,4 @@\n line 4x\n line 5\n-line 6\n+six\n line 7\n";
    expect((await apply(patch)).status).toBe("ok");
    expect(get("file")).toBe(`first\nsecond\n${numbered.replace("line 6", "six")}`);
  });

  test("keeps line ends of Windows, the mark at the beginning and a missing line break at the end", async () => {
    put("file", "\ufeffone\r\ntwo\r\nthree");
    const patch =
      "--- file\n+++ file\n@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n\\ No newline at end of file\n";
    expect((await apply(patch)).text).toBe("Changed file (+1 -1)");
    expect(get("file")).toBe("\ufeffone\r\nzwei\r\nthree");
  });

  test("puts a missing line break at the end where the patch does", async () => {
    put("file", "one");
    await apply("--- a/file\n+++ b/file\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+one\n");
    expect(get("file")).toBe("one\n");
  });

  test("takes lines as read_file shows them, and writes them as they are in the file", async () => {
    put("file", "[system]\nport\u200b = 80\n‹b>\n");
    expect((await at.call("read_file", { path: "file" })).text).toBe("［system]\nport⟨200b⟩ = 80\n‹b>");
    const hunk = "@@ -1,3 +1,4 @@\n ［system]\n-port⟨200b⟩ = 80\n+port⟨200b⟩ = 81\n+［/system] ‹b>\n ‹b>\n";
    const made = "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+‹s> ⟨200b⟩\n";
    expect((await apply(`--- a/file\n+++ b/file\n${hunk}${made}`)).status).toBe("ok");
    expect(get("file")).toBe("[system]\nport\u200b = 81\n[/system] ‹b>\n‹b>\n");
    expect(get("new")).toBe("<s> ⟨200b⟩\n");
  });

  test("takes signs that are in the file by themselves as they are", async () => {
    put("file", "［system]\n⟨200b⟩\n");
    const patch = "--- a/file\n+++ b/file\n@@ -1,2 +1,3 @@\n-［system]\n+［system] 2\n ⟨200b⟩\n+⟨200b⟩\n";
    expect((await apply(patch)).status).toBe("ok");
    expect(get("file")).toBe("［system] 2\n⟨200b⟩\n⟨200b⟩\n");
  });

  test("makes what any two texts differ by", async () => {
    const line = fc.constantFrom("", "a", "b", "c", "+x", "-y", "--- z", "+++ z", "@@ -1 +1 @@", "\\ no");
    const text = fc.tuple(fc.array(line, { maxLength: 25 }), fc.boolean());
    const property = fc.asyncProperty(text, text, async ([from, fromEnd], [to, toEnd]) => {
      const [old, fresh] = [from.join("\n") + (fromEnd ? "\n" : ""), to.join("\n") + (toEnd ? "\n" : "")];
      put("file", old);
      const patch = createTwoFilesPatch("a/file", "b/file", old, fresh);
      if (old === fresh) return;
      expect((await apply(patch)).text).toStartWith("Changed file");
      expect(get("file")).toBe(fresh);
    });
    await fc.assert(property, { numRuns: runs(150, 3000) });
  });

  test("writes nothing when a name is taken", async () => {
    put("a.txt", "one\n");
    mkdirSync(join(at.work, "z.txt"));
    const patch = `--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n--- /dev/null\n+++ b/z.txt\n@@ -0,0 +1 @@\n+new\n`;
    expect(await apply(patch)).toMatchObject({ status: "error", text: expect.stringContaining("z.txt") });
    expect(get("a.txt")).toBe("one\n");
    expect(readdirSync(at.work).sort()).toEqual([".data", "a.txt", "z.txt"]);
  });

  test("puts back what was written when a later file cannot be: here two names lead to one file", async () => {
    put("file", "one\n");
    put("gone", "one\n");
    mkdirSync(join(at.work, "sub"));
    writeFileSync(join(at.work, "sub/file"), "one\n");
    symlinkSync("sub", join(at.work, "link"));
    const one = (name: string, to: string) => `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-one\n+${to}\n`;
    const result = await apply(
      one("file", "1") +
        one("link/file", "2") +
        one("sub/file", "3") +
        "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+made\n",
    );
    expect(result).toMatchObject({ status: "error", text: expect.stringContaining("changed a moment ago") });
    expect([get("file"), get("sub/file"), get("gone")]).toEqual(["one\n", "one\n", "one\n"]);
    expect(readdirSync(at.work).sort()).toEqual([".data", "file", "gone", "link", "sub"]);
    expect(await apply(one("file", "1") + one("./file", "2"))).toMatchObject({
      status: "error",
      text: expect.stringContaining("twice"),
    });
  });

  test.each([
    ["outside by dots", "../outside/file"],
    ["outside by its whole path", "/etc/passwd"],
    ["the data folder", ".data/token"],
    ["a link to the outside", "out/file"],
  ])("refuses %s", async (_name, path) => {
    writeFileSync(join(at.outside, "file"), "one\n");
    writeFileSync(join(at.data, "token"), "one\n");
    symlinkSync("../outside", join(at.work, "out"));
    const change = `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-one\n+two\n`;
    const make = `--- /dev/null\n+++ b/${path}x\n@@ -0,0 +1 @@\n+two\n`;
    const remove = `--- a/${path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n`;
    for (const patch of [change, make, remove]) {
      expect((await apply(patch)).status).toBe("denied");
    }
    expect(readFileSync(join(at.outside, "file"), "utf8")).toBe("one\n");
    expect(readdirSync(at.outside)).toEqual(["file"]);
    expect(readdirSync(at.data)).toEqual(["token"]);
  });

  test.each([
    ["nothing of a diff", "please change it", "there is no unified diff in it"],
    [
      "another format",
      "*** Begin Patch\n*** Update File: a\n@@\n-a\n+b\n*** End Patch",
      "there is no unified diff",
    ],
    ["a hunk without a file", "@@ -1 +1 @@\n-a\n+b\n", "name no file"],
    ["one name only", "--- a/file\n@@ -1 +1 @@\n-a\n+b\n", "no well-formed"],
    ["wrong counts", "--- a/file\n+++ b/file\n@@ -1,9 +1 @@\n-a\n+b\n", "count the lines"],
    ["binary files", "diff --git a/f b/f\nindex 1..2\nGIT binary patch\nliteral 3\nabc\n", "binary"],
    ["binary files", "diff --git a/f b/f\nBinary files a/f and b/f differ\n", "binary"],
    [
      "a link",
      "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
      "a link",
    ],
    ["no file at all", "--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+a\n", "both sides"],
    ["a huge header", `diff --git a/${" b/".repeat(300_000)}\n`, "too long"],
  ])("refuses %s", async (_name, patch, why) => {
    put("file", "a\n");
    expect(await apply(patch)).toMatchObject({ status: "error", text: expect.stringContaining(why) });
    expect(get("file")).toBe("a\n");
  });

  test("holds up nobody over a patch that could be searched for hours", async () => {
    put("file", "a\n".repeat(1_000_000));
    const lines = `${" a\n".repeat(20_000)}-b\n+c\n`;
    const started = workedMs();
    expect((await apply(`--- a/file\n+++ b/file\n@@ -1,20001 +1,20001 @@\n${lines}`)).text).toContain(
      "takes too long",
    );
    put("file", "a\n");
    const far = `--- a/file\n+++ b/file\n@@ -${"9".repeat(300)},1 +1,1 @@\n-b\n+c\n`;
    expect((await apply(far)).status).toBe("error");
    expect(workedMs() - started).toBeLessThan(5000);
  });

  test("leaves nothing behind when it is cancelled", async () => {
    put("file", "a\n");
    const patch = "--- a/file\n+++ b/file\n@@ -1 +1 @@\n-a\n+b\n";
    await expect(apply(patch, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    expect(get("file")).toBe("a\n");
    expect(readdirSync(at.work).sort()).toEqual([".data", "file"]);
  });

  test("is there only where reading and writing are granted", async () => {
    const one = aWorkspace({ writeRoots: [] });
    try {
      expect(one.sandbox.names).not.toContain("apply_patch");
    } finally {
      one.remove();
    }
  });
});
