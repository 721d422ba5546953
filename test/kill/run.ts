import { mkdirSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  executable,
  type RunningExecutable,
  startExecutable,
  temporaryFolder,
} from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { check, type Findings } from "./check.ts";
import { startTalk } from "./client.ts";
import { createMoments, type Happening, type Moments } from "./moments.ts";
import { seeded } from "./random.ts";
import { logEnd, logOf, nextStep, problemOf } from "./script.ts";

const sessions = ["s0", "s1", "s2", "s3"];

export interface KillRun {
  readonly kills: number;
  readonly seed: number;
  /** A PostgreSQL database, and how long its other processes wait for one that is gone; without it SQLite in the data folder. */
  readonly shared?: { readonly databaseUrl: string; readonly leaseSeconds: number };
  /** Called when the last server has ended. */
  readonly integrity: (dataDir: string) => Promise<string>;
}

export interface KillReport extends Findings {
  readonly messages: number;
  readonly integrity: string;
}

/** When the server is killed: so many milliseconds at most after something happened. */
const kinds: readonly (readonly [after: Happening | "start", withinMs: number])[] = [
  ["start", 3],
  ["start", 100],
  ["start", 300],
  ["message sent", 2],
  ["message accepted", 2],
  ["model asked", 6],
  ["calls asked for", 4],
  ["calls asked for", 4],
  ["approval asked", 4],
  ["file changed", 0],
  ["file changed", 1],
];

async function killMoment(random: () => number, moments: Moments, leaseMs: number) {
  // Often enough a process lives until it has taken over what the one before it left.
  if (random() < 0.5) await Bun.sleep(random() * 3 * leaseMs);
  const [after, withinMs] = kinds[Math.floor(random() * kinds.length)] ?? ["start", 3];
  const ms = random() * withinMs;
  if (after !== "start") await moments.next(after);
  if (ms > 0) await Bun.sleep(ms);
}

/** Kills a server before it has said that it listens. */
async function killWhileStarting(env: Record<string, string>, folder: string, ms: number) {
  const child = Bun.spawn([await executable()], {
    cwd: folder,
    env: { HOME: folder, OPENCLAW_PORT: "0", ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  await Bun.sleep(ms);
  child.kill("SIGKILL");
  await child.exited;
}

/** Kills the executable again and again while clients talk, then lets it finish and looks at everything. */
export async function killRun({ kills, seed, shared, integrity }: KillRun): Promise<KillReport> {
  const random = seeded(seed);
  const moments = createMoments();
  const invalid: string[] = [];
  await using folder = await temporaryFolder();
  const workspace = join(folder.path, "workspace");
  const dataDir = join(folder.path, "data");
  mkdirSync(workspace);
  writeFileSync(join(workspace, "seed.txt"), "seed\n");
  for (const session of sessions) writeFileSync(join(workspace, logOf(session)), `${logEnd}\n`);
  // Between the effect of a tool and the commit of its result there is less than a millisecond.
  using _ = { [Symbol.dispose]: () => watcher.close() };
  const watcher = watch(workspace, () => moments.tell("file changed"));
  await using model = scriptedModel(
    (body) => {
      moments.tell("model asked");
      const problem = problemOf(body.messages);
      if (problem !== undefined) invalid.push(`the model was sent an invalid sequence: ${problem}`);
      const step = nextStep(body);
      if (step.calls !== undefined) setTimeout(() => moments.tell("calls asked for"), 0);
      return { ...step, gate: () => Bun.sleep(random() * 3) };
    },
    { keep: 1 },
  );
  const env = {
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_DATA_DIR: dataDir,
    OPENCLAW_WORKSPACE: workspace,
    OPENCLAW_ALLOWED_READ_ROOTS: ".",
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_APPROVAL_TOOLS: "write_file",
    OPENCLAW_CONTEXT_TOKENS: "10000000",
    OPENCLAW_LOG_LEVEL: "error",
    ...(shared !== undefined && {
      OPENCLAW_DATABASE_URL: shared.databaseUrl,
      OPENCLAW_LEASE_SECONDS: `${shared.leaseSeconds}`,
    }),
  };
  let up = Promise.withResolvers<string>();
  const talks = sessions.map((session) => startTalk({ session, server: () => up.promise, moments }));
  const start = async () => {
    const server = await startExecutable(env);
    up.resolve(server.url);
    return server;
  };
  // Where the machine is slow a server may be killed before it has heard anything: then there are more kills.
  const isIdle = () => talks.reduce((sum, talk) => sum + talk.said, 0) <= kills;
  for (let kill = 0; kill < kills || (isIdle() && kill < 4 * kills); kill++) {
    if (random() < 0.15) await killWhileStarting(env, folder.path, random() * 60);
    await using server: RunningExecutable = await start();
    await killMoment(random, moments, (shared?.leaseSeconds ?? 0) * 1000);
    up = Promise.withResolvers();
    await server.stop("SIGKILL");
  }
  await using server = await start();
  await Promise.all(talks.map((talk) => talk.finish()));
  const found: Findings[] = [];
  for (const talk of talks) found.push(await check(server.url, talk, workspace));
  const code = await server.stop("SIGTERM");
  const ends = code === 0 ? [] : [`the last server ended with ${code}: ${server.stderr()}`];
  return {
    problems: [...invalid, ...ends, ...found.flatMap((each) => each.problems)],
    unknownOutcomes: found.reduce((sum, each) => sum + each.unknownOutcomes, 0),
    messages: talks.reduce((sum, talk) => sum + talk.said, 0),
    integrity: await integrity(dataDir),
  };
}
