import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../../test/helpers/executable.ts";
import { operatorToken, type StandIns } from "./stand-ins.ts";

const login = { authorization: `Bearer ${operatorToken}` };
/** An answer that takes longer is asked for again. */
const patienceMs = 20_000;

/** The server of a soak: killed and started again, over the same data. */
export interface House extends AsyncDisposable {
  readonly dataDir: string;
  pid(): number;
  kills(): number;
  /** Asks the server that is up (waiting for one); undefined when there was no whole answer. */
  ask(
    path: string,
    body?: unknown,
    init?: RequestInit,
  ): Promise<{ status: number; text: string } | undefined>;
  /** The address of the server that is up, once one is. */
  url(): Promise<string>;
  kill(): Promise<void>;
  /** What it has logged in all its lives. */
  log(): string;
  /** Ends it in peace; its exit code. */
  stop(): Promise<number>;
}

export async function openHouse({ env }: StandIns): Promise<House> {
  const folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const start = () => startExecutable({ ...env, OPENCLAW_DATA_DIR: dataDir });
  let server: RunningExecutable = await start();
  let up = Promise.withResolvers<string>();
  up.resolve(server.url);
  let kills = 0;
  let before = "";

  return {
    dataDir,
    pid: () => server.pid,
    kills: () => kills,
    url: () => up.promise,
    log: () => before + server.stderr(),
    async ask(path, body, init = {}) {
      const url = await up.promise;
      try {
        const response = await fetch(url + path, {
          method: body === undefined ? "GET" : "POST",
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(patienceMs),
          ...init,
          headers: init.headers ?? { ...login, "content-type": "application/json" },
        });
        return { status: response.status, text: await response.text() };
      } catch {
        return undefined;
      }
    },
    async kill() {
      up = Promise.withResolvers();
      await server.stop("SIGKILL");
      kills += 1;
      before += server.stderr();
      await server[Symbol.asyncDispose]();
      server = await start();
      up.resolve(server.url);
    },
    stop: () => server.stop("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
