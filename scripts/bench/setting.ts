import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../built.ts";
import { freePort, type Program, timeToHealth } from "./process.ts";

/** What all measures share: the executables, the model, and a folder that goes away. */
export interface Setting {
  readonly openclaw: string;
  readonly bareHealth: string;
  readonly bareProxy: string;
  /** Base URL of the scripted model. */
  readonly model: string;
  readonly folder: string;
  close(): void;
}

export const token = "bench-token-0123456789";
export const login = { authorization: `Bearer ${token}` };

async function compileFloor(name: string, outfile: string) {
  const result = await Bun.build({
    entrypoints: [join(import.meta.dir, `${name}.ts`)],
    target: "bun",
    minify: true,
    bytecode: true,
    format: "esm",
    compile: { outfile },
  });
  if (!result.success) throw new Error(`Cannot compile ${name}: ${result.logs.join(" ")}`);
  return outfile;
}

export async function setUp(): Promise<Setting> {
  const openclaw = await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "openclaw-bench-"));
  const bareHealth = await compileFloor("floor-health", join(folder, "floor-health"));
  const bareProxy = await compileFloor("floor-proxy", join(folder, "floor-proxy"));
  const model = Bun.spawn([process.execPath, join(import.meta.dir, "model.ts")], {
    stdout: "pipe",
    stdin: "ignore",
  });
  const { value } = await model.stdout.getReader().read();
  const port = new TextDecoder().decode(value).trim();
  return {
    openclaw,
    bareHealth,
    bareProxy,
    model: `http://127.0.0.1:${port}/v1`,
    folder,
    close() {
      model.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The environment of a server under measurement: with login, session store and the default tools on. */
export function openclawEnv(
  setting: Setting,
  dataDir: string,
  port: number,
  more: Record<string, string> = {},
) {
  return {
    MODEL_PROVIDER_ENDPOINT: setting.model,
    MODEL_PROVIDER_MODEL: "bench",
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_PORT: `${port}`,
    OPENCLAW_DATA_DIR: dataDir,
    OPENCLAW_LOG_LEVEL: "warn",
    ...more,
  };
}

let made = 0;

/** Starts our server on a data folder of its own (or the one given), and says how long it took until `path` was 200. */
export async function startOpenclaw(
  setting: Setting,
  more: Record<string, string> = {},
  dataDir?: string,
  path?: string,
) {
  const port = freePort();
  const data = dataDir ?? join(setting.folder, `data-${made++}`);
  const env = openclawEnv(setting, data, port, more);
  return timeToHealth([setting.openclaw], env, `http://127.0.0.1:${port}`, path);
}

/** Starts one of the floors. */
export async function startFloor(setting: Setting, path: string, more: Record<string, string> = {}) {
  const port = freePort();
  const env = { PORT: `${port}`, MODEL: setting.model, ...more };
  return timeToHealth([path], env, `http://127.0.0.1:${port}`);
}

/** Runs `use` on a server and ends it. */
export async function withProgram<T>(
  started: Promise<{ program: Program }>,
  use: (program: Program) => Promise<T>,
) {
  const { program } = await started;
  try {
    return await use(program);
  } finally {
    await program.stop();
  }
}
