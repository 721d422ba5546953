import type { Browser } from "playwright-core";
import { AppError } from "../../errors.ts";
import { sandboxLog as log } from "../../telemetry/log.ts";
import { browserFlags } from "./browser-flags.ts";
import { createBrowserPipe } from "./browser-pipe.ts";
import type { Programs } from "../processes/programs.ts";

const startMs = 20_000;
const saidLength = 2000;
const lookMs = 500;
/** Processes and threads. */
const mostProcesses = 2000;

/** A browser that runs. */
export interface BrowserEngine {
  readonly browser: Browser;
  /** Ends it and all that it started. */
  end(): Promise<void>;
}

export interface EngineParts {
  readonly programs: Programs;
  /** Port of the egress proxy, its only way out. */
  readonly proxyPort: number;
  /** Chromium by its path; found in the PATH of the sandbox when left out. */
  readonly path: string | undefined;
  /** What it may hold with all its tabs. */
  readonly memoryBytes: number;
}

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The path that was set, or that of the first browser found. Throws `unavailable` when there is none. */
export async function findBrowser(path: string | undefined, find: Programs["find"]): Promise<string> {
  if (path !== undefined) return path;
  for (const name of names) {
    const found = await find(name);
    if (found !== undefined) return found;
  }
  throw new AppError(
    "unavailable",
    "Cannot start a browser: neither Chromium nor Chrome is in the PATH. The operator can install one, set OPENCLAW_BROWSER_PATH, or name a running one in OPENCLAW_BROWSER_CDP_URL.",
  );
}

/** Lets the profile lie in the folder of its own that the sandbox gives each program. */
const inOwnFolder = 'exec "$@" --user-data-dir="$HOME/profile"';

/** Starts Chromium in the sandbox of processes and speaks to it over two pipes: no port is opened. */
export async function startBrowser(parts: EngineParts): Promise<BrowserEngine> {
  const [{ spawn }, { chromium }] = await Promise.all([
    import("node:child_process"),
    import("playwright-core"),
  ]);
  const path = await findBrowser(parts.path, parts.programs.find);
  const { argv, environment, over, endAll } = await parts.programs.launch({
    stages: [["/bin/sh", "-c", inOwnFolder, "sh", path, ...browserFlags(parts.proxyPort)]],
    cwd: "/",
    read: [],
    write: [],
    proxy: { url: `http://127.0.0.1:${parts.proxyPort}`, port: parts.proxyPort },
  });
  const [program = path, ...args] = argv;
  const child = spawn(program, args, {
    env: environment,
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
  });
  let said = "";
  const limits = { memoryBytes: parts.memoryBytes, processes: mostProcesses };
  const look = setInterval(() => {
    if (child.pid === undefined || over(child.pid, limits) === undefined) return;
    log.warn("The browser was ended: its pages held too much.", limits);
    void end();
  }, lookMs);
  const end = async () => {
    clearInterval(look);
    child.kill("SIGKILL");
    await endAll();
  };
  try {
    const [, , errors, toBrowser, fromBrowser] = child.stdio;
    if (!errors || !toBrowser || !("write" in toBrowser) || !fromBrowser || !("read" in fromBrowser)) {
      throw new Error("it has no pipes");
    }
    errors.on("data", (piece: Buffer) => {
      said = (said + piece.toString()).slice(-saidLength);
    });
    const failed = new Promise<never>((_, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => reject(new Error(`it ended (${code ?? signal})`)));
    });
    failed.catch(() => undefined);
    const pipe = createBrowserPipe(toBrowser, fromBrowser);
    const connected = chromium.connectOverCDP(pipe, { timeout: startMs });
    connected.catch(() => undefined);
    return { browser: await Promise.race([connected, failed]), end };
  } catch (error) {
    await end();
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("unavailable", `Cannot start the browser ${path}: ${why}. ${said.slice(-300)}`, {
      cause: error,
    });
  }
}
