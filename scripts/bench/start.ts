import { join } from "node:path";
import { askOnce } from "./load.ts";
import { median, memoryMb, timeToExit } from "./process.ts";
import { limitRow, ratioRow, type Row } from "./row.ts";
import { login, openclawEnv, type Setting, startFloor, startOpenclaw } from "./setting.ts";

const rounds = 21;
const path = "/v1/chat/completions";

/** Start, first turn and idle memory, side by side with the bare server. */
export async function measureStart(setting: Setting): Promise<Row[]> {
  const version = { ours: [] as number[], floor: [] as number[] };
  const health = { ours: [] as number[], floor: [] as number[] };
  const idle = { ours: [] as number[], floor: [] as number[] };
  const firstTurn: number[] = [];
  const check: number[] = [];
  for (let round = 0; round < rounds; round++) {
    version.floor.push(await timeToExit([setting.bareHealth, "--version"], {}));
    version.ours.push(await timeToExit([setting.openclaw, "--version"], {}));

    const floor = await startFloor(setting, setting.bareHealth);
    const ours = await startOpenclaw(setting);
    health.floor.push(floor.ms);
    health.ours.push(ours.ms);
    await Bun.sleep(500);
    idle.floor.push(memoryMb(floor.program.pid, "VmRSS"));
    idle.ours.push(memoryMb(ours.program.pid, "VmRSS"));
    await floor.program.stop();
    const begin = performance.now();
    await askOnce(ours.program, path, { headers: login });
    firstTurn.push(performance.now() - begin);
    await ours.program.stop();
    if (round < 7) {
      const env = openclawEnv(setting, join(setting.folder, `check-${round}`), 1);
      check.push(await timeToExit([setting.openclaw, "--check"], env));
    }
  }
  return [
    ratioRow("`--version`", "ms", median(version.ours), median(version.floor), 1.5),
    ratioRow("spawn to first `/health` 200", "ms", median(health.ours), median(health.floor), 2),
    limitRow("first turn after start", "ms", median(firstTurn), 15),
    limitRow("`--check`", "ms", median(check), 300),
    ratioRow("idle memory (resident)", "MB", median(idle.ours), median(idle.floor), 1.6),
  ];
}
