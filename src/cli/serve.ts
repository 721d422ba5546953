import { type App, assemble } from "../assemble.ts";
import { environment } from "../config/environment.ts";
import { usesDemo } from "../config/exposure.ts";
import { serviceManager } from "../config/service-manager.ts";
import type { Loaded } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { restartForManyRequests } from "../linux/exec.ts";
import { log, setUpLog } from "../telemetry/log.ts";
import { type Phases, startPhases } from "../telemetry/phases.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { compileHotCode } from "./compile-hot-code.ts";
import { isTerminal } from "./is-terminal.ts";
import { readSettings, reportProblems } from "./read-settings.ts";
import { connectService, type Service } from "./service.ts";
import { listenForSignals } from "./signals.ts";
import { adviseLocalModel, startBlock } from "./start-block.ts";
import { version } from "./version.ts";

/** What a stop may take beyond the drain, before it counts as failed. */
const stopGraceMs = 5000;
const orphansEveryMs = 10_000;

/** Serves until it is told to stop: the first signal drains, the second one ends at once. SIGHUP reads values of files again. */
export async function serve({ args, startFolder }: Invocation): Promise<ExitCode> {
  if (args.length > 0) {
    console.error(`openclaw serve takes no arguments, and was given ${args.join(" ")}. See openclaw --help.`);
    return 2;
  }
  const phases = startPhases();
  const loaded = readSettings(startFolder);
  if (!loaded.settings) {
    reportProblems(loaded);
    return 2;
  }
  const { settings } = loaded;
  // A second start costs 5 ms, so only who asked for many turns at once pays for it.
  const isTurnsSet = loaded.sources.has("OPENCLAW_MAX_CONCURRENT_TURNS");
  if (isTurnsSet && settings.middleware.maxConcurrentTurns > 256)
    restartForManyRequests(environment(), startFolder);
  setUpLog({ level: settings.telemetry.logLevel, pretty: isTerminal(2) });
  if (!isTurnsSet && environment().BUN_CONFIG_MAX_HTTP_REQUESTS === undefined)
    log.info(
      "Turns beyond this many wait for a slot, because Bun lets no more than 256 requests out at once. For more set BUN_CONFIG_MAX_HTTP_REQUESTS=2000, or OPENCLAW_MAX_CONCURRENT_TURNS.",
      { turns: settings.middleware.maxConcurrentTurns },
    );
  phases.end("settings");
  logStrayErrors();
  if (process.pid === 1) collectOrphans();
  const signals = listenForSignals({ onTerminal: isTerminal(0) || isTerminal(2) });
  const app = await start(settings, loaded, phases);
  if (typeof app === "number") return app;
  const service = await connectService(serviceManager(environment(), process.pid), app.check);
  const status = `serving, ${app.model}`;
  service.ready(status);
  signals.onReload(() => {
    service.reloading();
    void app.reload(readSettings(startFolder)).then((taken) => {
      service.ready(taken ? status : `${status}; a reload was refused (see the log)`);
    });
  });
  return stop(app, service, settings.gateway.drainMs, await signals.stop);
}

async function start(settings: Settings, loaded: Loaded, phases: Phases): Promise<App | ExitCode> {
  const { notes } = loaded;
  try {
    const app = await assemble(settings, { version, loaded, phases });
    const { url } = await app.listen();
    phases.end("listen");
    compileHotCode();
    log.info("The server has started.", phases.times());
    const advice = usesDemo(settings.llm) ? await adviseLocalModel() : [];
    console.log(startBlock({ app, url, settings, notes, advice }));
    return app;
  } catch (error) {
    console.error(`openclaw cannot start. ${reasonOf(error)}`);
    return error instanceof AppError && error.code === "bad_request" ? 2 : 1;
  }
}

/** Our own errors are sentences; any other is a fault of ours, and its stack is what helps. */
function reasonOf(error: unknown) {
  if (error instanceof AppError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function stop(app: App, service: Service, drainMs: number, signal: NodeJS.Signals): Promise<ExitCode> {
  service.stopping(drainMs + stopGraceMs);
  log.info("Stopping: running turns may finish.", { signal, drainMs });
  const late = Bun.sleep(drainMs + stopGraceMs).then(() => "late" as const);
  if ((await Promise.race([app.stop(drainMs), late])) !== "late") return 0;
  log.error("The stop took too long and was cut.", { afterMs: drainMs + stopGraceMs });
  return 1;
}

/** In an image this may be the first process: whatever loses its parent there is left to it. */
function collectOrphans() {
  const collect = async () => {
    const { reapOrphans } = await import("../sandbox/processes/end-programs.ts");
    await reapOrphans();
  };
  setInterval(() => void collect(), orphansEveryMs).unref();
}

/** One turn's stray error must not end the turns of everybody else: it is logged, and serving goes on. */
function logStrayErrors() {
  process.on("uncaughtException", (error) => log.error("An error that nobody caught.", { error }));
  process.on("unhandledRejection", (error) => log.error("A rejection that nobody caught.", { error }));
}
