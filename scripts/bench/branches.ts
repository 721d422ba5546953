import { statSync } from "node:fs";
import { join } from "node:path";
import { assistantMessage, userMessage } from "../../src/llm/message.ts";
import * as branches from "../../src/store/branches.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import * as sessions from "../../src/store/sessions.ts";
import { median, memoryMb, type Program } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, withProgram } from "./setting.ts";

const now = 1;
const text = (n: number) => `message ${n} ${"word ".repeat(20)}`;
const message = (n: number) => (n % 2 === 0 ? userMessage(text(n)) : assistantMessage(text(n)));

/** Fills a store with sessions of so many messages each, in writes that stay short. */
async function fill(store: Store, of: { name: string; sessions: number; messages: number }) {
  const eachWrite = Math.max(1, Math.floor(5000 / of.messages));
  for (let from = 0; from < of.sessions; from += eachWrite)
    await store.write(async (tx) => {
      for (let s = from; s < Math.min(from + eachWrite, of.sessions); s++) {
        const id = `${of.name}-${s}`;
        await sessions.open(tx, { id, owner: "operator", channel: "http", now: now + s });
        for (let n = 0; n < of.messages; n++) await sessions.append(tx, id, undefined, message(n), now + s);
      }
    });
}

async function milliseconds(act: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

/** A frame of the log is a page with a header of 24 bytes; the log itself has one of 32. */
const pagesIn = (log: string) => Math.max(0, statSync(log).size - 32) / (4096 + 24);

/** What branching costs in a long session, and what appending does. */
async function measureTree(setting: Setting): Promise<Row[]> {
  const dataDir = join(setting.folder, "tree");
  const log = join(dataDir, "openclaw.db-wal");
  const filling = await openStore({ dataDir });
  await fill(filling, { name: "short", sessions: 1, messages: 100 });
  await fill(filling, { name: "long", sessions: 1, messages: 10_000 });
  await filling.close();

  // Opened anew, so that its log is empty and grows by what is written from here on.
  const store = await openStore({ dataDir });
  const create = (name: string) => store.write((tx) => branches.create(tx, "long-0", { name, now }));
  await create("first");
  const before = pagesIn(log);
  await create("second");
  const pages = pagesIn(log) - before;
  const branch: number[] = [];
  for (let n = 0; n < 100; n++) branch.push(await milliseconds(() => create(`b${n}`)));

  const append = { short: [] as number[], long: [] as number[] };
  const appendMany = (id: string) =>
    milliseconds(() =>
      store.write(async (tx) => {
        for (let n = 0; n < 20; n++) await sessions.append(tx, id, undefined, message(n), now);
      }),
    );
  for (let round = 0; round < 60; round++) {
    append.short.push(await appendMany("short-0"));
    append.long.push(await appendMany("long-0"));
  }
  await store.close();
  return [
    limitRow("branch of a 10,000-message session", "ms", median(branch), 2),
    limitRow("branch of a 10,000-message session, written", "pages", pages, 6),
    ratioRow(
      "20 appends at 10,000 stored messages beside 100",
      "ms",
      median(append.long),
      median(append.short),
      1.2,
    ),
  ];
}

async function answerMs(program: Program, path: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 100; n++)
    times.push(
      await milliseconds(async () => {
        const answer = await fetch(`${program.url}${path}`, { headers: login });
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        await answer.arrayBuffer();
      }),
    );
  return median(times);
}

const jobCount = 1000;

/** Jobs of every hour, made as a client makes them. */
async function makeJobs(program: Program) {
  const headers = { ...login, "content-type": "application/json" };
  for (let n = 0; n < jobCount; n++) {
    const job = { name: `job-${n}`, schedule: `${n % 60} ${n % 24} * * *`, prompt: "Hi." };
    const made = await fetch(`${program.url}/api/jobs`, {
      method: "POST",
      headers,
      body: JSON.stringify(job),
    });
    if (!made.ok) throw new Error(await made.text());
  }
}

/** What a server costs that has kept 100,000 sessions and 1,000 jobs. */
async function measureManySessions(setting: Setting): Promise<Row[]> {
  const dataDir = join(setting.folder, "many");
  const store = await openStore({ dataDir });
  await fill(store, { name: "kept", sessions: 100_000, messages: 2 });
  await store.close();
  await withProgram(startOpenclaw(setting, {}, dataDir), makeJobs);
  // The other one is a folder that was used before too: making its database would count otherwise.
  const empty = join(setting.folder, "empty");
  await (await openStore({ dataDir: empty })).close();
  const start = { many: [] as number[], none: [] as number[] };
  const idle = { many: [] as number[], none: [] as number[] };
  for (let round = 0; round < 15; round++)
    for (const [which, folder] of [
      ["none", empty],
      ["many", dataDir],
    ] as const) {
      const { ms, program } = await startOpenclaw(setting, {}, folder);
      start[which].push(ms);
      await Bun.sleep(300);
      idle[which].push(memoryMb(program.pid, "VmRSS"));
      await program.stop();
    }
  const [list, open] = await withProgram(startOpenclaw(setting, {}, dataDir), async (ours) => [
    await answerMs(ours, "/api/sessions?limit=50"),
    await answerMs(ours, "/api/sessions/kept-50000/messages"),
  ]);
  return [
    ratioRow(
      "start with 100,000 stored sessions and 1,000 jobs beside none",
      "ms",
      median(start.many),
      median(start.none),
      1.2,
    ),
    limitRow(
      "idle memory with 100,000 stored sessions and 1,000 jobs, beyond none",
      "MB",
      median(idle.many) - median(idle.none),
      5,
    ),
    limitRow("first page of 100,000 sessions", "ms", list ?? Number.NaN, 3),
    limitRow("opening one of 100,000 sessions", "ms", open ?? Number.NaN, 2),
  ];
}

/** The tree of a session, and many sessions. */
export const measureBranches = async (setting: Setting): Promise<Row[]> => [
  ...(await measureTree(setting)),
  ...(await measureManySessions(setting)),
];
