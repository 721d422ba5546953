import { parseArgs } from "node:util";
import { measureAttacks } from "./bench/attacks.ts";
import { measureBranches } from "./bench/branches.ts";
import { measureCompare } from "./bench/compare.ts";
import { measureHanging } from "./bench/hanging.ts";
import { measureHistory } from "./bench/history.ts";
import { measureJobs } from "./bench/jobs.ts";
import { measureNeighbours } from "./bench/neighbours.ts";
import { measureOverload } from "./bench/overload.ts";
import { measureRecovery } from "./bench/recovery.ts";
import { type Row, table } from "./bench/row.ts";
import { setUp } from "./bench/setting.ts";
import { measureSizes } from "./bench/sizes.ts";
import { measureSockets } from "./bench/sockets.ts";
import { measureStart } from "./bench/start.ts";
import { measureTelemetry } from "./bench/telemetry.ts";
import { measureTools } from "./bench/tools.ts";
import { measureTurns } from "./bench/turns.ts";
import { measureWaiting } from "./bench/waiting.ts";

/**
 * `bun run bench [--only start,turns] [--layer]`: prints the table, then its rows as one line of JSON. `--compare CMD`: only
 * puts the start, health and memory of another program beside ours; it must listen on the port that `$PORT` names.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    compare: { type: "string" },
    layer: { type: "boolean", default: false },
  },
});
const { compare } = values;
const setting = await setUp();
const groups = {
  start: () => measureStart(setting),
  turns: () => measureTurns(setting),
  history: () => measureHistory(setting),
  branches: () => measureBranches(setting),
  recovery: () => measureRecovery(setting),
  hanging: () => measureHanging(setting),
  waiting: () => measureWaiting(setting),
  sockets: () => measureSockets(setting),
  jobs: () => measureJobs(setting),
  tools: () => measureTools(setting),
  telemetry: () => measureTelemetry(setting),
  overload: () => measureOverload(setting),
  neighbours: () => measureNeighbours(setting),
  attacks: measureAttacks,
  sizes: () => measureSizes(setting, values.layer),
  compare: () => (compare === undefined ? [] : measureCompare(setting, compare)),
};
const wanted = compare === undefined ? values.only?.split(",") : ["compare"];
try {
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(groups)) {
    if (wanted === undefined || wanted.includes(name)) rows.push(...(await measure()));
  }
  console.log(table(rows));
  console.log(JSON.stringify(rows));
} finally {
  setting.close();
}
