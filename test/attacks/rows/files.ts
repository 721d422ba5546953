import { type Attack, rows } from "../attack.ts";
import type { Place } from "../place.ts";

/** Paths that lead out, by letters or by links, to canaries. */
const waysOut = ({ work, outside, data }: Place): readonly string[] => [
  "../outside/secret",
  "./././../outside/secret",
  "many/../../outside/secret",
  `${outside}/secret`,
  `${work}/../outside/secret`,
  `//${outside}/secret`,
  "leaf",
  "out/secret",
  "through",
  "relative",
  `top/${outside}/secret`,
  `procroot/${outside}/secret`,
  `${data}/openclaw.db`,
  "datalink/openclaw.db",
  "dangling",
  "loop",
];
/** What is no file of the workspace at all. */
const devices = [
  "environ",
  "zero",
  "descriptors/0",
  "/proc/self/environ",
  "/proc/1/environ",
  "/proc/self/mem",
  "/proc/self/fd/3",
  "/dev/zero",
  "/dev/stdin",
  "/sys/kernel/notes",
  "/etc/shadow",
  "fifo",
  "\0",
  "mine.txt\0.png",
  "file:///etc/shadow",
  "~/.ssh/id_rsa",
  "a".repeat(300),
  "a/".repeat(3000),
];

const patchOf = (path: string, from = path) => ({
  patch: `--- ${from}\n+++ ${path}\n@@ -1 +1 @@\n-x\n+y\n`,
});
const made = (path: string) => ({ patch: `--- /dev/null\n+++ ${path}\n@@ -0,0 +1 @@\n+y\n` });

const ill = (tool: string, paths: readonly string[], call: (path: string) => object) =>
  rows(
    tool,
    { refused: true },
    paths.map((path) => [`the path ${JSON.stringify(path.slice(0, 60))}`, call(path)]),
  );

export function fileAttacks(place: Place): readonly Attack[] {
  const { outside } = place;
  const out = waysOut(place);
  return [
    ...ill("read_file", [...out, ...devices], (path) => ({ path })),
    ...ill(
      "write_file",
      [
        ...out.filter(
          (path) =>
            path !== "leaf" &&
            path !== "relative" &&
            path !== "through" &&
            path !== "dangling" &&
            path !== "loop",
        ),
        "/etc/cron.d/x",
        "out/fresh",
        "top/etc/x",
        "/dev/null",
        "fifo",
        "many",
        ".",
      ],
      (path) => ({ path, content: "changed" }),
    ),
    ...ill("edit_file", out, (path) => ({ path, old_text: "CANARY", new_text: "x" })),
    ...ill(
      "list_files",
      ["..", outside, "out", "top", "/", "/proc", "descriptors", "datalink", "procroot/", "a\0"],
      (path) => ({ path }),
    ),
    ...ill("list_files", ["..", "out", "top"], (path) => ({ path, recursive: true })),
    ...ill("search_files", ["..", outside, "out", "top", "/proc/self", "leaf"], (path) => ({
      path,
      pattern: "CANARY",
    })),
    ...ill("apply_patch", [...out.map((path) => path.replace(/^\//, "/")), "/etc/x"], (path) =>
      patchOf(path),
    ),
    ...ill(
      "apply_patch",
      ["../outside/fresh", `${outside}/fresh`, "out/fresh", "a/../../outside/fresh", "b/../../outside/fresh"],
      made,
    ),
    ...rows("apply_patch", { refused: true }, [
      [
        "renames the canary into the workspace",
        {
          patch:
            "diff --git a/out/secret b/got\nsimilarity index 100%\nrename from out/secret\nrename to got\n",
        },
      ],
      [
        "copies the canary into the workspace",
        { patch: "diff --git a/leaf b/got\nsimilarity index 100%\ncopy from leaf\ncopy to got\n" },
      ],
      [
        "renames a file out",
        {
          patch:
            "diff --git a/mine.txt b/out/got\nsimilarity index 100%\nrename from mine.txt\nrename to out/got\n",
        },
      ],
      [
        "makes a link",
        {
          patch:
            "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+/etc/shadow\n\\ No newline at end of file\n",
        },
      ],
      [
        "counts that lie",
        { patch: "--- a/mine.txt\n+++ b/mine.txt\n@@ -1,999999999 +1,999999999 @@\n one\n" },
      ],
      [
        "one good file and one outside",
        {
          patch:
            "--- /dev/null\n+++ b/half.txt\n@@ -0,0 +1 @@\n+y\n--- /dev/null\n+++ b/out/fresh\n@@ -0,0 +1 @@\n+y\n",
        },
      ],
      [
        "a hundred thousand hunks",
        { patch: `--- a/mine.txt\n+++ b/mine.txt\n${"@@ -1 +1 @@\n-x\n+y\n".repeat(50_000)}` },
      ],
      ["a binary patch", { patch: "diff --git a/b b/b\nGIT binary patch\nliteral 5\nMcmZQz\n" }],
    ]),
    ...rows("read_file", { refused: true }, [
      ["a folder", { path: "." }],
      ["line zero", { path: "mine.txt", from: 0 }],
      ["line minus one", { path: "mine.txt", from: -1 }],
      ["half a line", { path: "mine.txt", from: 0.5 }],
      ["a line beyond all numbers", { path: "mine.txt", from: "1e400" }],
      ["too many lines", { path: "mine.txt", max_lines: 1e9 }],
    ]),
    ...rows("read_file", {}, [
      ["three gigabytes of nothing", { path: "sparse" }],
      ["a binary file", { path: "binary" }],
      ["a line of five megabytes", { path: "long-line" }],
      ["half a million lines", { path: "lines" }],
      ["a line far behind the end", { path: "mine.txt", from: 1e15 }],
      ["a file of escapes and markers", { path: "escapes.txt" }],
      ["a packed bomb", { path: "bomb.zip" }],
    ]),
    ...rows("list_files", {}, [
      ["names of escapes", { path: "." }],
      ["everything", { path: ".", recursive: true }],
      ["three thousand names", { path: "many" }],
    ]),
    ...rows("search_files", { refused: true }, [
      ["a pattern that is none", { pattern: "(", regex: true }],
      ["a pattern of half a million parts", { pattern: "(a|".repeat(500_000), regex: true }],
      ["a repetition of repetitions", { pattern: "((((a{1000}){1000}){1000}){1000})", regex: true }],
      ["a line break", { pattern: "a\nb" }],
    ]),
    ...rows("search_files", {}, [
      ["all that leads out", { pattern: "CANARY" }],
      ["catastrophic backtracking", { pattern: "(a+)+$", regex: true, path: "long-line" }],
      ["more backtracking", { pattern: "(a|aa)+b", regex: true, path: "long-line" }],
      ["everything", { pattern: ".", regex: true }],
      ["the file of escapes", { pattern: "im_start", path: "escapes.txt" }],
    ]),
    ...rows("edit_file", { refused: true }, [
      ["three gigabytes", { path: "sparse", old_text: "\0", new_text: "x" }],
      ["a text that stands there very often", { path: "lines", old_text: "x", new_text: "y" }],
      ["a binary file", { path: "binary", old_text: "a", new_text: "b" }],
    ]),
  ];
}
