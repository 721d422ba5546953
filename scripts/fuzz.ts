import { parseArgs } from "node:util";
import { durationOf, durationOptions } from "./duration.ts";
import { describe, type Finding } from "./fuzz/finding.ts";
import { fuzz, giveAlone, inputOf } from "./fuzz/run.ts";
import { surfaces } from "./fuzz/surfaces/index.ts";
import { startTarget } from "./fuzz/target.ts";

/**
 * `bun run fuzz --minutes N [--seed S] [--only frames,http]`: broken inputs at every way in of the executable. A crash, a
 * hang, an error that nobody caught or an `internal` is a failure, told with how to do it again:
 * `--seed S --replay frames:123`. Exit 1 when there was one.
 */
const { values } = parseArgs({
  options: { ...durationOptions, only: { type: "string" }, replay: { type: "string" } },
});
const { seconds, seed } = durationOf(values);
const wanted = values.only?.split(",");
const chosen = surfaces.filter(({ name }) => wanted === undefined || wanted.includes(name));

async function replay(words: string): Promise<number> {
  const [name, number] = words.split(":");
  const surface = surfaces.find((each) => each.name === name);
  if (surface === undefined) throw new Error(`There is no surface ${name}.`);
  await using target = await startTarget();
  const input = inputOf(surface, Number(number), seed);
  const fault = await giveAlone(surface, input, target);
  console.log(JSON.stringify(Buffer.from(input).toString("latin1")));
  console.log(fault === undefined ? "Nothing was wrong." : `It ${fault}`);
  return fault === undefined ? 0 : 1;
}

async function all(): Promise<number> {
  console.log(`fuzzing for ${seconds} s with seed ${seed}`);
  const findings: Finding[] = [];
  const counts = await fuzz({
    surfaces: chosen,
    seconds,
    seed,
    found(finding) {
      findings.push(finding);
      console.log(describe(finding, seed));
    },
  });
  const told = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`inputs: ${told.join(", ")}`);
  console.log(findings.length === 0 ? "no faults" : `${findings.length} faults`);
  return findings.length === 0 ? 0 : 1;
}

process.exit(await (values.replay === undefined ? all() : replay(values.replay)));
