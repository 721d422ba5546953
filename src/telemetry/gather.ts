import { readdirSync } from "node:fs";
import type { FamilyName, Reading, Value } from "./instruments.ts";
import { log } from "./log.ts";
import { readGauges, readInstruments } from "./metrics.ts";

/** Something that is looked up when somebody asks. It may fail: it is then left out. */
export interface Gauge extends FamilyName {
  readonly kind?: "gauge" | "counter";
  read(): number | readonly Value[] | Promise<number | readonly Value[]>;
}

/** How long all that is looked up may take together: a store that hangs must not hold the figures back that say so. */
const mostMs = 2000;

const seconds = (micros: number) => micros / 1_000_000;

/** What is known of the process itself, by the names that every Prometheus exporter uses. */
const own: readonly Gauge[] = [
  {
    name: "process_start_time_seconds",
    help: "Start of the process, in seconds since 1970.",
    read: () => performance.timeOrigin / 1000,
  },
  {
    kind: "counter",
    name: "process_cpu_seconds_total",
    help: "Processor time of the process.",
    read() {
      const { user, system } = process.cpuUsage();
      return seconds(user + system);
    },
  },
  {
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
    read: () => process.memoryUsage.rss(),
  },
  {
    name: "process_open_fds",
    help: "Open file descriptors of the process.",
    read: () => readdirSync("/proc/self/fd").length,
  },
  {
    name: "openclaw_breaker_state",
    help: "Breakers of models: 0 all closed, 1 one is open, 2 one is being tried.",
    read: () => readGauges().circuitBreakerState,
  },
];

async function look({ read, kind = "gauge", name, help, labels = [] }: Gauge): Promise<Reading | undefined> {
  try {
    const found = await read();
    const values = typeof found === "number" ? [{ labels: [], value: found }] : found;
    return { kind, name, help, labels, values };
  } catch (error) {
    log.debug("a figure could not be looked up", { name, error });
    return undefined;
  }
}

/** Every family as it stands now: what is counted, and what `gauges` look up. Never throws, and takes 2 s at most. */
export async function gather(gauges: readonly Gauge[]): Promise<readonly Reading[]> {
  const found: Reading[] = [];
  const looked = Promise.all(
    [...own, ...gauges].map(async (gauge) => {
      const reading = await look(gauge);
      if (reading !== undefined) found.push(reading);
    }),
  );
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, mostMs);
  await Promise.race([looked, late.promise]);
  clearTimeout(timer);
  return [...readInstruments(), ...found];
}
