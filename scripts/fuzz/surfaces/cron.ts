import { mutateBytes } from "../mutate.ts";
import { askWrongly, type Surface } from "../surface.ts";
import { token } from "../target.ts";

const schedules: readonly [string, ...string[]] = [
  "* * * * *",
  "0 8 * * 1-5",
  "*/5 0-23/2 L * 5#3",
  "0 0 29 2 *",
  "0 0 31 2 *",
  "59 59 23 31 12 7",
  "@daily",
  "@yearly",
  "every 15m",
  "2031-02-03T04:05:06Z",
  "0 0 LW * FRI#L",
];
const zones: readonly [string, ...string[]] = [
  "UTC",
  "Europe/Berlin",
  "Pacific/Apia",
  "Etc/GMT+12",
  "+01:00",
];

/** Schedules and zones of jobs: one line each. */
export const cron: Surface = {
  name: "cron",
  make: (random) => {
    const text = `${random.pick(schedules)}\n${random.pick(zones)}`;
    return mutateBytes(Buffer.from(text), random).subarray(0, 2000);
  },
  async give(input, target) {
    const [schedule = "", zone = ""] = Buffer.from(input).toString("utf8").split("\n");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const name = `fuzz-${Bun.randomUUIDv7()}`;
    const body = JSON.stringify({ name, schedule, zone, prompt: "Run." });
    const fault = await askWrongly(target, "/api/jobs", { method: "POST", headers, body });
    return fault ?? askWrongly(target, `/api/jobs/${name}`, { method: "DELETE", headers });
  },
};
