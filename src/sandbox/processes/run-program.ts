import { closeSync, fchownSync } from "node:fs";
import { withMark } from "../../linux/marked.ts";
import type { User } from "../../linux/privileges.ts";
import { kernel } from "../../linux/system-calls.ts";
import { type CallGroup, leftToWatch } from "./call-group.ts";
import type { OnOutput, ProgramEnd } from "../can-run.ts";
import { endCall } from "./end-programs.ts";
import { collectOutput, type ProgramOutput } from "./program-output.ts";
import type { Start } from "./start-program.ts";
import { type WatchLimits, watchProcesses } from "./watch-processes.ts";

export interface ProgramRun {
  /** One after the other, the output of each the input of the next. */
  readonly starts: readonly Start[];
  readonly mark: number;
  /** Whom the pipes belong to, where programs run as another user. */
  readonly owner?: User;
  /** True when they are started through bubblewrap. */
  readonly namespaces: boolean;
  /** Processes that we started, of all calls; ours are in it while they run. */
  readonly owned: Set<number>;
  readonly signal: AbortSignal;
  readonly limits: WatchLimits;
  /** What the kernel holds them in, where it does. */
  readonly group?: CallGroup;
  readonly maxOutputBytes: number;
  readonly input?: Uint8Array;
  readonly onOutput?: OnOutput;
}

const closeOnExec = 0o2000000;
/** How long the pipes of programs that are gone may take to be empty. */
const drainMs = 2000;

type Child = Bun.Subprocess<"ignore" | number | Uint8Array, number, number>;

interface Pipe {
  readonly reader: number;
  readonly writer: number;
}

/** A pipe and not Bun's own pair of sockets, which no program can open anew as `/dev/stdout`; that takes its owner, too. */
function makePipe(owner: User | undefined): Pipe {
  const ends = new Int32Array(2);
  kernel().call("pipe2", ends, closeOnExec);
  const [reader = -1, writer = -1] = ends;
  if (owner !== undefined) fchownSync(writer, owner.uid, owner.gid);
  return { reader, writer };
}

/** Starts all stages; when one cannot be, those before it are still returned through `children`. Closes what they got. */
function startAll({ starts, input, owner }: ProgramRun, children: Child[], stdout: number, stderr: number) {
  let from: number | undefined;
  for (const [index, { argv, environment }] of starts.entries()) {
    const next = index === starts.length - 1 ? undefined : makePipe(owner);
    try {
      children.push(
        Bun.spawn([...argv], {
          cwd: "/",
          env: { ...environment },
          stdin: from ?? (index === 0 && input !== undefined ? input : "ignore"),
          stdout: next?.writer ?? stdout,
          stderr,
        }),
      );
    } finally {
      if (from !== undefined) closeSync(from);
      if (next !== undefined) closeSync(next.writer);
      from = next?.reader;
    }
  }
}

/** Starts all stages with what they say going into `output`; `reading` ends when all of them have. */
function startReading(run: ProgramRun, children: Child[], output: ProgramOutput): Promise<unknown> {
  const [stdout, stderr] = [makePipe(run.owner), makePipe(run.owner)];
  try {
    withMark(run.mark, () => startAll(run, children, stdout.writer, stderr.writer));
  } catch (error) {
    closeSync(stdout.reader);
    closeSync(stderr.reader);
    throw error;
  } finally {
    closeSync(stdout.writer);
    closeSync(stderr.writer);
  }
  const read = async (stream: "stdout" | "stderr", { reader }: Pipe) => {
    try {
      await output.read(stream, Bun.file(reader).stream());
    } finally {
      closeSync(reader);
    }
  };
  return Promise.all([read("stdout", stdout), read("stderr", stderr)]);
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref());

/** Runs programs to their end, or to the end of `signal` (then it rejects with its reason). Nothing of them is left. */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const { signal, owned, mark, namespaces, group } = run;
  // Its end may have come while the folder of the call was made; nobody would hear of that any more.
  signal.throwIfAborted();
  const output = collectOutput(run.maxOutputBytes, run.onOutput);
  const children: Child[] = [];
  const stopped = Promise.withResolvers<void>();
  const stop = () => stopped.resolve();
  let limit: ProgramEnd["limit"];
  signal.addEventListener("abort", stop, { once: true });
  try {
    const reading = startReading(run, children, output);
    reading.catch(() => undefined);
    const roots = children.map(({ pid }) => pid);
    for (const pid of roots) owned.add(pid);
    const over = (reached: ProgramEnd["limit"]) => {
      limit = reached;
      stop();
    };
    using _watch = watchProcesses(
      { roots, mark, owned },
      { ...leftToWatch(run.limits, group), ...(group !== undefined && { group }) },
      over,
    );
    await Promise.race([stopped.promise, Promise.all(children.map(({ exited }) => exited))]);
    group?.end();
    await endCall({ mark, roots: new Set(roots), namespaces }, owned);
    await Promise.all(children.map(({ exited }) => exited));
    await Promise.race([reading, after(drainMs)]);
    signal.throwIfAborted();
    limit ??= group?.over();
    const { exitCode, signalCode } = children.at(-1) ?? { exitCode: null, signalCode: null };
    return {
      ...(exitCode !== null && limit === undefined && { exitCode }),
      ...(signalCode !== null && { signal: String(signalCode) }),
      ...(limit !== undefined && { limit }),
      ...output.collect(),
    };
  } finally {
    signal.removeEventListener("abort", stop);
    const roots = new Set(children.map(({ pid }) => pid));
    if (roots.size > 0) await endCall({ mark, roots, namespaces }, owned);
    for (const { pid } of children) owned.delete(pid);
  }
}
