import { lendFiles } from "../../src/sandbox/files/files.ts";
import { openRoots } from "../../src/sandbox/files/roots.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { tools } from "../../src/tools/index.ts";
import { runCall } from "./workspace.ts";

// A process of its own: root may open everything, so it becomes nobody before it tries.
const [workspace = ""] = process.argv.slice(2);
const roots = openRoots({ workspace, readRoots: ["."], writeRoots: ["."] });
const sandbox = createSandbox({
  tools,
  lend: lendFiles(roots, { never: [] }),
  timeoutMs: 5000,
  timeoutMaxMs: 5000,
});
if (process.getuid?.() === 0) process.setuid?.(65_534);

const calls = [
  ["read_file", { path: "mine" }],
  ["read_file", { path: "closed/file" }],
  ["list_files", { path: "closed" }],
  ["write_file", { path: "mine", content: "x" }],
  ["search_files", { pattern: "SECRET" }],
] as const;
const texts: string[] = [];
for (const [name, input] of calls) {
  texts.push((await runCall(sandbox.prepare(name, JSON.stringify(input)))).text);
}
process.stdout.write(JSON.stringify(texts));
