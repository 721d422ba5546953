import { markResource } from "./forbidden-calls.ts";
import { kernel } from "./system-calls.ts";

export interface ResourceLimits {
  /** Processor time of each process. */
  readonly cpuSeconds: number;
  readonly fileBytes: number;
  /** Processes and threads of the user, over all of them; does not bind user 0. */
  readonly processes: number;
  readonly openFiles: number;
  /** Tells the processes of one call from all others: see marked.ts. */
  readonly mark: number;
}

const resource = { cpu: 0, fileSize: 1, core: 4, processes: 6, openFiles: 7, messageQueues: 12 } as const;

/** Lowers a limit for good; one that is lower already stays. */
function lower(which: number, most: number) {
  const { call } = kernel();
  const current = new BigUint64Array(2);
  call("prlimit64", 0, which, 0, current);
  const [, hard = 0n] = current;
  const value = BigInt(most) < hard ? BigInt(most) : hard;
  call("prlimit64", 0, which, new BigUint64Array([value, value]), 0);
}

/** Limits this process and what it starts. Throws when the mark cannot be set: nothing would find what got away. */
export function limitResources({ cpuSeconds, fileBytes, processes, openFiles, mark }: ResourceLimits) {
  lower(resource.cpu, cpuSeconds);
  lower(resource.fileSize, fileBytes);
  lower(resource.core, 0);
  lower(resource.processes, processes);
  lower(resource.openFiles, openFiles);
  lower(resource.messageQueues, 0);
  kernel().call("prlimit64", 0, markResource, new BigUint64Array([BigInt(mark), BigInt(mark)]), 0);
}
