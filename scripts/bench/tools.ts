import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { firstTokens } from "./load.ts";
import { median, type Program, timeToExit } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting } from "./setting.ts";
import { type AskedCall, makeWorkspace, turnMs, withoutNamespaces, withTools } from "./tool-server.ts";

const path = { PATH: "/usr/bin:/bin" };
const time: AskedCall = { name: "time", arguments: {} };
const readFile: AskedCall = { name: "read_file", arguments: { path: "hello.txt" } };
const shell = (command: string): AskedCall => ({ name: "shell", arguments: { command } });
const search: AskedCall = { name: "search_files", arguments: { pattern: "the needle of", path: "many" } };
const javascript: AskedCall = { name: "code_exec", arguments: { language: "javascript", code: "6 * 7" } };

/** Medians of some measures that are taken in turns, so that a slow moment of the machine meets all of them. */
async function inTurns(rounds: number, takes: readonly (() => Promise<number>)[]) {
  const samples = takes.map((): number[] => []);
  for (let round = 0; round < rounds; round++)
    for (const [at, take] of takes.entries()) samples[at]?.push(await take());
  return samples.map(median);
}

async function warm(program: Program) {
  for (let n = 0; n < 100; n++) {
    await turnMs(program, []);
    await turnMs(program, [readFile]);
    await turnMs(program, [time]);
  }
}

/** What a tool round takes. */
async function measureRounds(program: Program): Promise<Row[]> {
  await warm(program);
  const [plain = 0, round = 0] = await inTurns(400, [
    () => turnMs(program, []),
    () => turnMs(program, [readFile]),
  ]);
  return [
    ratioRow("a tool round (two model calls and read_file) beside a plain turn", "ms", round, plain, 2.5),
  ];
}

/** What a call takes more than one that does nothing, in milliseconds. */
async function over(program: Program, call: AskedCall): Promise<number> {
  await turnMs(program, [call]);
  const [ours = 0, none = 0] = await inTurns(60, [
    () => turnMs(program, [call]),
    async () => {
      // What the call left to do, if anything, is not the next one's.
      await turnMs(program, [time]);
      return turnMs(program, [time]);
    },
  ]);
  return ours - none;
}

async function measureProgram(program: Program, how: string, most: number): Promise<Row[]> {
  await warm(program);
  const sandboxed = await over(program, shell("true"));
  const [bare = 0] = await inTurns(60, [() => timeToExit(["/bin/sh", "-c", "true"], path)]);
  return [limitRow(`sandboxed \`true\` over a bare spawn, ${how} namespaces`, "ms", sandboxed - bare, most)];
}

async function measureColdCode(setting: Setting, workspace: string): Promise<Row[]> {
  const all: number[] = [];
  for (let n = 0; n < 7; n++)
    await withTools(setting, { workspace }, async (program) => {
      const [none = 0] = await inTurns(30, [() => turnMs(program, [time])]);
      all.push((await turnMs(program, [javascript])) - none);
    });
  return [limitRow("QuickJS, cold", "ms", median(all), 60)];
}

/** 500 pages as Chromium prints them, about 180,000 words. */
async function printPdf(folder: string, outfile: string) {
  const page = (n: number) =>
    `<p style="page-break-after: always">Page ${n}. ${"The quick brown fox jumps over a lazy dog. ".repeat(40)}`;
  const html = join(folder, "pages.html");
  writeFileSync(html, Array.from({ length: 500 }, (_, n) => page(n + 1)).join("\n"));
  const flags = ["--headless", "--no-sandbox", `--user-data-dir=${join(folder, "profile")}`];
  await timeToExit(
    ["/usr/bin/chromium", ...flags, "--no-pdf-header-footer", `--print-to-pdf=${outfile}`, `file://${html}`],
    path,
  );
}

/** All pages, twenty a call as the tool gives them, in one step. */
async function measurePdf(program: Program, setting: Setting, workspace: string): Promise<Row[]> {
  const file = join(workspace, "pages.pdf");
  await printPdf(setting.folder, file);
  const calls = Array.from({ length: 25 }, (_, n) => ({
    name: "pdf_read",
    arguments: { path: "pages.pdf", pages: `${n * 20 + 1}-${n * 20 + 20}` },
  }));
  const [ours = 0, floor = 0] = await inTurns(3, [
    () => turnMs(program, calls),
    () => timeToExit(["/usr/bin/pdftotext", file, join(setting.folder, "pages.txt")], path),
  ]);
  return [ratioRow("pdf_read of 500 pages in 25 calls, beside pdftotext", "ms", ours, floor, 4)];
}

/** 20,000 files of about 2 KB in 200 folders; one line in every hundredth is looked for. */
function fill(folder: string) {
  const line = "a line of text as there are many in the files of a project, with some words in it\n";
  for (let n = 0; n < 20_000; n++) {
    const inside = join(folder, `folder-${n % 200}`);
    mkdirSync(inside, { recursive: true });
    writeFileSync(
      join(inside, `file-${n}.txt`),
      line.repeat(25) + (n % 100 === 7 ? `the needle of ${n}\n` : ""),
    );
  }
}

async function measureSearch(program: Program, workspace: string): Promise<Row[]> {
  const folder = join(workspace, "many");
  mkdirSync(folder);
  fill(folder);
  const [ours = 0, none = 0, floor = 0] = await inTurns(5, [
    () => turnMs(program, [search]),
    () => turnMs(program, [time]),
    () => timeToExit(["/usr/bin/rg", "--line-number", "the needle of", folder], path),
  ]);
  return [ratioRow("search_files over 20,000 files, beside ripgrep", "ms", ours - none, floor, 3)];
}

/** First tokens of one session while another has fifty calls running. */
async function measureBeside(program: Program): Promise<Row[]> {
  const first = async () =>
    median(await firstTokens(program, "/v1/chat/completions", 100, { headers: login }));
  const beside = async (calls: readonly AskedCall[]) => {
    let goesOn = true;
    const busy = (async () => {
      while (goesOn) await turnMs(program, calls);
    })();
    const ms = await first();
    goesOn = false;
    await busy;
    return ms;
  };
  const fifty = (call: AskedCall) => Array.from({ length: 50 }, () => call);
  const [alone = 0, programs = 0] = await inTurns(3, [first, () => beside(fifty(shell("sleep 3")))]);
  const searches = await beside(fifty(search));
  return [
    ratioRow("first token while another session runs fifty programs", "ms", programs, alone, 1.5),
    ratioRow("… fifty searches of 20,000 files", "ms", searches, alone, 1.5),
  ];
}

/** Tools, as turns of the compiled executable whose model asks for them. */
export async function measureTools(setting: Setting): Promise<Row[]> {
  const workspace = makeWorkspace(setting, "workspace");
  writeFileSync(join(workspace, "hello.txt"), "hello\n");
  const rows = await withTools(setting, { workspace }, async (program) => [
    ...(await measureRounds(program)),
    ...(await measureProgram(program, "with", 25)),
    limitRow("QuickJS, warm", "ms", await over(program, javascript), 5),
    ...(await measureSearch(program, workspace)),
    ...(await measureBeside(program)),
    ...(await measurePdf(program, setting, workspace)),
  ]);
  const wrapper = withoutNamespaces;
  const plain = await withTools(setting, { workspace, wrapper }, (program) =>
    measureProgram(program, "without", 12),
  );
  return [...rows, ...plain, ...(await measureColdCode(setting, workspace))];
}
