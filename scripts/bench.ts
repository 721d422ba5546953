import { parseArgs } from "node:util";
import { measureBranches } from "./bench/branches.ts";
import { measureHanging } from "./bench/hanging.ts";
import { measureHistory } from "./bench/history.ts";
import { measureRecovery } from "./bench/recovery.ts";
import { type Row, table } from "./bench/row.ts";
import { setUp } from "./bench/setting.ts";
import { measureSizes } from "./bench/sizes.ts";
import { measureSockets } from "./bench/sockets.ts";
import { measureStart } from "./bench/start.ts";
import { measureTools } from "./bench/tools.ts";
import { measureTurns } from "./bench/turns.ts";
import { measureWaiting } from "./bench/waiting.ts";

/** `bun run bench [--only start,turns] [--layer]`: prints the table, then its rows as one line of JSON. */
const { values } = parseArgs({
  options: { only: { type: "string" }, layer: { type: "boolean", default: false } },
});
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
  tools: () => measureTools(setting),
  sizes: () => measureSizes(setting, values.layer),
};
const wanted = values.only?.split(",");
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
