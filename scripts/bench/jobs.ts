import { allProcessorMs, type Program } from "./process.ts";
import { limitRow, type Row } from "./row.ts";
import { login, type Setting, startOpenclaw, withProgram } from "./setting.ts";

const many = 1000;
const measuredMs = 40_000;
const minuteMs = 60_000;
/** What a server does after its start is done by then, also the collection of its garbage. */
const settleMs = 15_000;

/** Jobs by their names, each with this schedule. */
const jobs = (schedule: string) =>
  Array.from({ length: many }, (_, n) => ({ name: `job-${n}`, schedule, prompt: "Hi." }));

/** Processor time that a server takes with nothing to do, in milliseconds a minute. */
async function idleMs(program: Program): Promise<number> {
  await Bun.sleep(settleMs);
  const [before, begin] = [allProcessorMs(program.pid), performance.now()];
  await Bun.sleep(measuredMs);
  return (allProcessorMs(program.pid) - before) * (minuteMs / (performance.now() - begin));
}

const hasRun = async (program: Program, name: string) => {
  const answer = await fetch(`${program.url}/api/jobs/${name}/runs`, { headers: login });
  return (await answer.text()).includes('"state":"ran"');
};

/** Seconds from the second in which all are due until all have run. */
async function secondsToRun(program: Program): Promise<number> {
  const due = Math.ceil(Date.now() / 1000) * 1000 + 8000;
  const headers = { ...login, "content-type": "application/json" };
  const url = `${program.url}/api/jobs`;
  for (const job of jobs(new Date(due).toISOString())) {
    const made = await fetch(url, { method: "POST", headers, body: JSON.stringify(job) });
    if (!made.ok) throw new Error(await made.text());
  }
  let waiting = jobs("").map(({ name }) => name);
  await Bun.sleep(Math.max(0, due - Date.now()));
  while (waiting.length > 0) {
    const [last = ""] = waiting;
    // One after the other: to ask for all of them again and again would take the time that is measured.
    if (await hasRun(program, last)) waiting = waiting.slice(1);
    else await Bun.sleep(10);
    if (Date.now() > due + minuteMs) throw new Error(`${waiting.length} jobs have not run after a minute.`);
  }
  return (Date.now() - due) / 1000;
}

/** Jobs that wait, and jobs that are all due at once. */
export async function measureJobs(setting: Setting): Promise<Row[]> {
  const declared = { OPENCLAW_JOBS: JSON.stringify(jobs("0 0 1 1 *")) };
  const none = await withProgram(startOpenclaw(setting), idleMs);
  const idle = await withProgram(startOpenclaw(setting, declared), idleMs);
  const seconds = await withProgram(startOpenclaw(setting), secondsToRun);
  return [
    limitRow(
      "1,000 idle jobs, processor time a minute",
      "ms",
      idle,
      60,
      `${none.toFixed(1)} ms without jobs`,
    ),
    limitRow("1,000 jobs of one second, until all have run", "s", seconds, 15),
  ];
}
