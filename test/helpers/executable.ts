import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../../scripts/built.ts";

/** A little less than a test has, so that it is told what was waited for. */
const patienceMs = 50_000;
const stopMs = 30_000;

let built: Promise<string> | undefined;

/** The path of the compiled executable, built once where it is stale. */
export const executable = () => (built ??= ensureBuilt());

/** An empty folder that is removed at the end. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "openclaw-test-")));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const environmentIn = (folder: string, env: Record<string, string>) => ({
  PATH: "/usr/bin:/bin",
  HOME: folder,
  OPENCLAW_PORT: "0",
  ...env,
});

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the executable (behind the words of `wrapper`) to its end in an empty folder (or in `cwd`), with no variables but
 * those given. Throws, with what it wrote, when it does not end.
 */
export async function runExecutable(
  args: readonly string[],
  env: Record<string, string> = {},
  { cwd, stdin = "", wrapper = [] }: { cwd?: string; stdin?: string; wrapper?: readonly string[] } = {},
): Promise<Ended> {
  await using folder = await temporaryFolder();
  const child = Bun.spawn([...wrapper, await executable(), ...args], {
    cwd: cwd ?? folder.path,
    env: environmentIn(folder.path, env),
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, patienceMs);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]).finally(() => clearTimeout(timer));
  if (isLate)
    throw new Error(`\`openclaw ${args.join(" ")}\` did not end in ${patienceMs} ms.\n${stdout}${stderr}`);
  return { code, stdout, stderr };
}

export interface RunningExecutable extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** The empty folder that it was started in; its `HOME` too, so its data folder is `<folder>/.local/state/openclaw`. */
  readonly folder: string;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal and resolves to the exit code (128 + number when the signal killed it); throws when it does not end. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

/**
 * Starts the executable as a server on a free port, in an empty folder, with no variables but those given. Throws, with
 * what it wrote, when it ends or prints no address. For a restart over the same data give both OPENCLAW_DATA_DIR. `wrapper` are
 * words before its path, of a program that becomes it.
 */
export async function startExecutable(
  env: Record<string, string> = {},
  { cwd, wrapper = [] }: { cwd?: string; wrapper?: readonly string[] } = {},
): Promise<RunningExecutable> {
  const folder = await temporaryFolder();
  const child = Bun.spawn([...wrapper, await executable()], {
    cwd: cwd ?? folder.path,
    env: environmentIn(folder.path, env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const started = Promise.withResolvers<string>();
  const written = { stdout: "", stderr: "" };
  const keep = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const bytes of child[name]) {
      written[name] += decoder.decode(bytes, { stream: true });
      const address = /^ {2}chat +(http:\/\/\S+)\/chat$/m.exec(written.stdout)?.[1];
      if (address) started.resolve(address);
    }
  };
  const read = Promise.all([keep("stdout"), keep("stderr")]);
  const fail = (why: string) =>
    started.reject(new Error(`The executable ${why}.\n${written.stdout}${written.stderr}`));
  child.exited.then((code) => read.then(() => fail(`ended with ${code}`)));
  const timer = setTimeout(() => fail(`printed no address in ${patienceMs} ms`), patienceMs);
  const end = async () => {
    child.kill("SIGKILL");
    await child.exited;
    await folder[Symbol.asyncDispose]();
  };
  try {
    const url = await started.promise;
    return {
      url,
      pid: child.pid,
      folder: folder.path,
      stdout: () => written.stdout,
      stderr: () => written.stderr,
      async stop(signal = "SIGTERM") {
        let isLate = false;
        const late = setTimeout(() => {
          isLate = true;
          child.kill("SIGKILL");
        }, stopMs);
        child.kill(signal);
        const code = await child.exited;
        clearTimeout(late);
        await read;
        if (isLate)
          throw new Error(`${signal} did not end it in ${stopMs} ms.\n${written.stdout}${written.stderr}`);
        return code;
      },
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
