import { constants } from "node:os";
import { type CallArgument, kernel } from "./system-calls.ts";

const { EACCES, ENOENT, ENOTDIR } = constants.errno;
const [setMask, sigsetSize, lastSignal] = [2, 8, 64];
const ignored = 1n;
const closeOnExec = 4;
const setDescriptorFlags = 2;

/** A list of texts as C has it, with the buffers that it points to. */
function cList(texts: readonly string[]) {
  const buffers = texts.map((text) => Buffer.from(`${text}\0`));
  const list = new BigUint64Array([...buffers.map((buffer) => kernel().addressOf(buffer)), 0n]);
  return { list, buffers };
}

/** The new program finds every signal as it is at a start: Bun ignores some, and exec keeps that. */
function resetSignals() {
  for (let signal = 1; signal <= lastSignal; signal += 1) {
    // `struct sigaction` of the kernel: the handler comes first.
    const current = new BigUint64Array(8);
    if (kernel().try("rt_sigaction", signal, 0, current, sigsetSize) < 0 || current[0] !== ignored) continue;
    kernel().call("rt_sigaction", signal, new BigUint64Array(8), 0, sigsetSize);
  }
  kernel().call("rt_sigprocmask", setMask, new BigUint64Array(1), 0, sigsetSize);
}

/** Keeps descriptors from `first` on from the program that this process becomes; it gets all that are below. */
export function closeFrom(first: number) {
  kernel().call("close_range", first, 0xffff_ffff, closeOnExec);
  // Bun marks all from 4 on when it starts.
  for (let kept = 4; kept < first; kept += 1) kernel().try("fcntl", kept, setDescriptorFlags, 0);
}

/**
 * Turns this process into a program; returns only when that failed, with the number of the error. `words[0]` is a path,
 * or looked for in the folders of `PATH` of the new environment.
 */
export function become(words: readonly string[], environment: Readonly<Record<string, string>>): number {
  const [name = ""] = words;
  const folders = name.includes("/") ? [] : (environment["PATH"] ?? "").split(":");
  const candidates = name.includes("/") ? [name] : folders.map((folder) => `${folder}/${name}`);
  const argv = cList(words);
  const envp = cList(Object.entries(environment).map(([key, value]) => `${key}=${value}`));
  const paths = candidates.map((path) => Buffer.from(`${path}\0`));
  resetSignals();
  let worst = ENOENT;
  for (const path of paths) {
    const args: CallArgument[] = [path, argv.list, envp.list];
    const error = -kernel().try("execve", ...args);
    if (error === EACCES) worst = EACCES;
    else if (error !== ENOENT && error !== ENOTDIR) return error;
  }
  // Named here so that the buffers live until now.
  return argv.buffers.length + envp.buffers.length > 0 ? worst : ENOENT;
}
