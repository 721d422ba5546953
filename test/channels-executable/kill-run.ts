import { join } from "node:path";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import type { Arrivals } from "./arrivals.ts";
import { deliver, senders } from "./senders.ts";
import { startStandIns } from "./stand-ins.ts";
import { jobs, makeJob, type Run, runsOf } from "./ticking-jobs.ts";

export interface KillRunOptions {
  readonly kills: number;
  /** Servers that run side by side, each with a data folder of its own. */
  readonly processes: number;
  readonly env?: Record<string, string>;
  /** `SIGTERM`: they are stopped and not killed, and nothing may come twice. */
  readonly signal?: "SIGKILL" | "SIGTERM";
  /** Now and then the Bot API says nothing until its client gives up. */
  readonly hangs: boolean;
  /** For all that is still to come when the last one was killed. */
  readonly patienceMs: number;
}

/** Messages of one sender between two kills. */
const perKill = 2;
const longestLifeMs = 500;
/** What a server is killed over, in turn; undefined: nothing in particular. */
const killMoments = [undefined, "delivery taken", "answer arrived", "delivery made"] as const;
/** Slots of a job that are looked at, however short all this was. */
const leastSlots = 3;

const chance = (most: number) => Math.random() * most;

/** Waits until all that was said is answered, and all that was due by now has run; tells the runs of each job. */
async function untilDone(url: string, of: { said: number; patienceMs: number; arrivals: Arrivals }) {
  const { said, patienceMs, arrivals } = of;
  const now = Date.now();
  const deadline = performance.now() + patienceMs;
  const found = new Map<string, Run[]>();

  async function haveRun([job, recipient]: [string, string]) {
    const due = (await runsOf(url, job)).filter(({ slot }, n) => n < leastSlots || slot <= now);
    found.set(job, due);
    const isOpen = due.some(({ state }) => state === "queued" || state === "running");
    return due.length >= leastSlots && !isOpen && arrivals.heardBy(recipient).length >= due.length;
  }
  const areAnswered = () =>
    senders.every(({ recipient, expected }) => arrivals.heardBy(recipient).length >= expected(said).length);

  while (performance.now() < deadline) {
    const ran = await Promise.all(Object.entries(jobs).map(haveRun));
    if (ran.every(Boolean) && areAnswered()) break;
    await Bun.sleep(20);
  }
  return Object.entries(jobs).map(([job, recipient]) => ({ runs: found.get(job) ?? [], recipient }));
}

/** Kills servers while all doors are in use, and tells what came of it. */
export async function killRun(options: KillRunOptions) {
  const { kills, processes, signal = "SIGKILL" } = options;
  await using folder = await temporaryFolder();
  await using outside = await startStandIns(options);
  const { arrivals, moments } = outside;
  const start = (at: number) =>
    startExecutable({
      ...outside.env,
      OPENCLAW_DATA_DIR: join(folder.path, `data-${at}`),
      ...options.env,
    });
  const servers: RunningExecutable[] = [];
  const anyUrl = () => servers[Math.floor(chance(servers.length))]?.url ?? "";
  let killed = 0;
  let repeated = 0;
  const said = kills * perKill;

  async function sayAll(sender: (typeof senders)[number]) {
    for (let n = 0; n < said; n++) {
      // So that messages come in all along, and not before the first kill.
      while (n >= (killed + 1) * perKill) await Bun.sleep(2);
      // Also while it is down, and at the moment of the kill.
      await Bun.sleep(chance(longestLifeMs / perKill));
      repeated += await deliver(sender, n, { url: anyUrl, moments });
    }
  }

  async function kill(at: number) {
    await Bun.sleep(chance(longestLifeMs));
    const moment = killMoments[killed % killMoments.length];
    if (moment !== undefined) await moments.next(moment);
    const server = servers[at];
    await server?.stop(signal);
    await outside.heardOut();
    arrivals.died();
    await server?.[Symbol.asyncDispose]();
    servers[at] = await start(at);
  }

  try {
    for (let at = 0; at < processes; at++) servers.push(await start(at));
    await makeJob(anyUrl());
    const all = Promise.all(senders.map(sayAll));
    for (; killed < kills; killed++) await kill(killed % processes);
    outside.hangNoMore();
    await all;
    const ran = await untilDone(anyUrl(), { said, patienceMs: options.patienceMs, arrivals });
    const codes = await Promise.all(servers.map((server) => server.stop()));
    return {
      heard: senders.map(({ recipient }) => arrivals.heardBy(recipient)),
      expected: senders.map(({ expected }) => [...expected(said)]),
      jobs: ran.map(({ runs, recipient }) => ({ runs, heard: arrivals.heardBy(recipient) })),
      ...arrivals.doubles(),
      sent: arrivals.total(),
      repeated,
      codes,
    };
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}
