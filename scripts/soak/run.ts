import * as v from "valibot";
import { createRandom } from "../fuzz/random.ts";
import { type Account, settle } from "./account.ts";
import { faults } from "./faults.ts";
import { type Look, lookAt } from "./figures.ts";
import { openHouse } from "./house.ts";
import { talkByOperation, talkOnSocket } from "./kept-talk.ts";
import { type Book, type Load, newBook } from "./load.ts";
import { deliverAsMachine, makeJob, jobName, senders } from "./machines.ts";
import { askPlainly, tendSessions } from "./plain-doors.ts";
import { standIns as makeStandIns } from "./stand-ins.ts";

const everyMs = 10_000;
const lastsMs = 3000;
/** After a fault time-outs and closed breakers still show. */
const afterMs = 3000;
const lookEveryMs = 500;
/** What was accepted must have its end by then. */
const settleMs = 90_000;

export interface SoakReport {
  readonly account: Account;
  readonly book: Book;
  readonly looks: readonly Look[];
  readonly kills: number;
  /** Lines of the log that tell of an error that nobody expected. */
  readonly strange: readonly string[];
  readonly exitCode: number;
}

const strange = /nobody caught|a request failed|panic/;

/** A load over every door for so long, with a fault every ten seconds; then everything accepted is accounted for. */
export async function soak({ seconds, seed }: { seconds: number; seed: number }): Promise<SoakReport> {
  await using standIns = makeStandIns();
  await using house = await openHouse(standIns);
  const book = newBook();
  const begin = performance.now();
  const elapsed = () => performance.now() - begin;
  const until = seconds * 1000;
  let faultyUntil = 0;
  let saying = true;
  const load: Load = {
    house,
    standIns,
    book,
    random: createRandom(seed, "load"),
    goesOn: () => saying,
    isFaulty: () => elapsed() < faultyUntil,
  };
  const made = await makeJob(load);
  if (made?.status !== 200) throw new Error(`The job could not be made: ${made?.text}`);

  const looks: Look[] = [];
  const looking = setInterval(() => {
    const look = lookAt(house.pid(), elapsed() / 1000);
    if (look !== undefined) looks.push(look);
  }, lookEveryMs);
  using _ = { [Symbol.dispose]: () => clearInterval(looking) };

  const clients = [
    ...["ws-a", "ws-b", "ws-c"].map((name) => talkOnSocket(load, name)),
    ...["op-a", "op-b"].map((name) => talkByOperation(load, name)),
    ...["plain-a", "plain-b", "plain-c"].map((name) => askPlainly(load, name)),
    tendSessions(load, "tree"),
    ...senders.map((sender) => deliverAsMachine(load, sender)),
  ];
  const pace = Math.min(everyMs, until / 5);
  for (let n = 0; elapsed() < until - pace; n++) {
    await Bun.sleep(pace - lastsMs > 0 ? pace - lastsMs : pace / 2);
    // In the second half the process is left alone, so that what its memory does can be seen.
    const young = elapsed() < until / 2;
    const fault = faults[n % faults.length];
    if (fault === undefined || (fault.kills && !young)) continue;
    faultyUntil = Number.POSITIVE_INFINITY;
    {
      await using _ = await fault.begin(house, standIns);
      await Bun.sleep(Math.min(lastsMs, pace / 2));
    }
    faultyUntil = elapsed() + afterMs;
  }
  await Bun.sleep(Math.max(0, until - elapsed()));
  saying = false;
  await inTime(Promise.all(clients), settleMs, "the clients did not end: something accepted has no end");
  await inTime(untilQuiet(load), settleMs, "turns or deliveries did not end");
  const account = await settle(house, standIns, book);
  const exitCode = await house.stop();
  const told = house
    .log()
    .split("\n")
    .filter((line) => strange.test(line));
  return { account, book, looks, kills: house.kills(), strange: told, exitCode };
}

async function inTime(act: Promise<unknown>, ms: number, what: string) {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`After ${ms} ms ${what}.`)), ms);
  try {
    await Promise.race([act, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const Status = v.looseObject({
  turns: v.object({ running: v.number(), waiting: v.number() }),
  outbox: v.looseObject({ waiting: v.number() }),
  jobs: v.object({ running: v.number() }),
});
/** Between two parts of the same work there may be a moment of nothing. */
const quietLooks = 5;

/** Takes the job away, and resolves when nothing runs, waits or is to be sent any more. */
async function untilQuiet({ house }: Load) {
  await house.ask(`/api/jobs/${jobName}`, undefined, { method: "DELETE" });
  for (let quiet = 0; quiet < quietLooks;) {
    await Bun.sleep(100);
    const answer = await house.ask("/api/status");
    if (answer?.status !== 200) continue;
    const { turns, outbox, jobs } = v.parse(Status, JSON.parse(answer.text));
    quiet = turns.running + turns.waiting + outbox.waiting + jobs.running === 0 ? quiet + 1 : 0;
  }
}
