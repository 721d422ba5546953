import { parseArgs } from "node:util";
import { ensureBuilt } from "./built.ts";
import { durationOf, durationOptions } from "./duration.ts";
import { isLeak, latency, memorySlope } from "./soak/figures.ts";
import { soak, type SoakReport } from "./soak/run.ts";
import { ensurePrograms, runTests } from "./test-run.ts";

/**
 * `bun run soak [words]`: the long form of every suite, of what `npm test` samples. `bun run soak --minutes N [--seed S]`:
 * a load over every door of the executable with a fault every ten seconds, and an account of everything it accepted;
 * with `--suites` both. Exit 1 on any loss, double or leak.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ...durationOptions, suites: { type: "boolean", default: false } },
});

/** Tests read it through test/helpers/long.ts. */
async function suites(): Promise<boolean> {
  const { passed, failed } = await runTests(positionals, {
    timeoutMs: 900_000,
    env: { OPENCLAW_TEST_LONG: "1" },
  });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

const mostShown = 20;

/** Prints what a run came to; true when nothing was wrong. */
function tell({ account, book, looks, kills, strange, exitCode }: SoakReport, seconds: number): boolean {
  const { accepted, failed, delivered, sentTwice, lost, doubled } = account;
  const slope = memorySlope(looks);
  const last = looks.at(-1);
  console.log(
    `accepted ${accepted}, of which ${failed} failed by a fault; delivered ${delivered}; ${kills} kills`,
  );
  console.log(`lost ${lost.length}, doubled ${doubled.length}, sent twice by a kill ${sentTwice}`);
  console.log(`memory ${last?.memory.toFixed(0)} MB, descriptors ${last?.descriptors}`);
  if (slope !== undefined)
    console.log(`memory slope ${slope.perHour.toFixed(1)} MB/h, error ${slope.error.toFixed(1)}`);
  console.log(`calm:  ${latency(book.latencies.calm)}`);
  console.log(`fault: ${latency(book.latencies.fault)}, ${book.refused.fault} refused`);
  const wrong = [...lost, ...doubled, ...book.problems, ...strange];
  // A kill can fall behind one sending to each of the four recipients and one run of the job.
  if (sentTwice > kills * 5) wrong.push(`${sentTwice} were sent twice by ${kills} kills`);
  if (exitCode !== 0) wrong.push(`the server ended with ${exitCode}`);
  if (slope !== undefined && isLeak(slope, seconds)) wrong.push("memory leaks");
  for (const line of wrong.slice(0, mostShown)) console.log(`WRONG: ${line}`);
  console.log(wrong.length === 0 ? "nothing was wrong" : `${wrong.length} things were wrong`);
  return wrong.length === 0;
}

await ensureBuilt();
await ensurePrograms();
const isTimed = values.minutes !== undefined || values.seconds !== undefined;
let good = true;
if (isTimed) {
  const { seconds, seed } = durationOf(values);
  console.log(`soaking for ${seconds} s with seed ${seed}`);
  good = tell(await soak({ seconds, seed }), seconds);
}
if (!isTimed || values.suites) good = (await suites()) && good;
process.exit(good ? 0 : 1);
