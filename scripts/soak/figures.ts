import { readdirSync } from "node:fs";
import { memoryMb, quantile } from "../bench/process.ts";

/** One look at a process: seconds since the beginning of the run, MB (10^6 bytes), open descriptors. */
export interface Look {
  readonly pid: number;
  readonly at: number;
  readonly memory: number;
  readonly descriptors: number;
}

/** Undefined while it is not there. */
export function lookAt(pid: number, at: number): Look | undefined {
  try {
    return { pid, at, memory: memoryMb(pid, "VmRSS"), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

export interface Slope {
  /** MB an hour. */
  readonly perHour: number;
  /** Its standard error. */
  readonly error: number;
}

const parts = 12;

/**
 * How the memory of the newest process rises once it is warm: a line through the least of each twelfth of the second
 * half of its life, which is what is left when the engine has collected.
 */
export function memorySlope(looks: readonly Look[]): Slope | undefined {
  const last = looks.at(-1);
  const own = looks.filter(({ pid }) => pid === last?.pid);
  const warm = own.slice(Math.floor(own.length / 2));
  const size = Math.floor(warm.length / parts);
  if (size < 2) return undefined;
  const points = Array.from({ length: parts }, (_, part) => {
    const group = warm.slice(part * size, (part + 1) * size);
    return group.reduce((least, each) => (each.memory < least.memory ? each : least));
  });
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const [x, y] = [mean(points.map(({ at }) => at)), mean(points.map(({ memory }) => memory))];
  const spread = points.reduce((sum, { at }) => sum + (at - x) ** 2, 0);
  const slope = points.reduce((sum, { at, memory }) => sum + (at - x) * (memory - y), 0) / spread;
  const rest = points.reduce((sum, { at, memory }) => sum + (memory - y - slope * (at - x)) ** 2, 0);
  return { perHour: slope * 3600, error: Math.sqrt(rest / (parts - 2) / spread) * 3600 };
}

const mostPerHour = 1;
/** Compiled code and caches still grow while a process is young. */
const youngSeconds = 1800;
/** MB that a young one may grow by in the half of its life that is looked at. */
const mostYoung = 32;

/** Whether a slope, less three times its error, is a leak: of a process that has run for so many seconds. */
export function isLeak({ perHour, error }: Slope, seconds: number): boolean {
  const sure = perHour - 3 * error;
  return seconds > youngSeconds ? sure > mostPerHour : (sure * seconds) / 2 / 3600 > mostYoung;
}

export const latency = (values: readonly number[]) =>
  values.length === 0
    ? "none"
    : `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms of ${values.length}`;
