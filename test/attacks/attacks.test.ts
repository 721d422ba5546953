import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { runExecutable } from "../helpers/executable.ts";
import { startToolRun, type ToolRun } from "../helpers/tool-run.ts";
import { anEmptyRoot } from "./empty-root.ts";
import { childrenOf, memoryOf, processesOf, programOf } from "./machine.ts";
import { aPlace, attacker, canary, outsideState, type Place } from "./place.ts";
import { leak, type Outcome, runAttacks } from "./run-attacks.ts";
import { type Servers, someServers } from "./servers.ts";
import { allAttacks, attacksIn } from "./table.ts";

const mebibyte = 1_048_576;
/** The goal is 64 MB, of a server that was just started; a bound for a test is ten times a goal. */
const mostGrowth = 640 * mebibyte;
const secrets = ["the-tests-own-token", "a-key-of-the-tests"];

/** Everything that can be granted, with secrets of the operator beside it. */
const everything = ({ work, data }: Pick<Place, "work" | "data">, { service, mail }: Servers) => ({
  OPENCLAW_WORKSPACE: work,
  OPENCLAW_DATA_DIR: data,
  OPENCLAW_ALLOWED_READ_ROOTS: ".",
  OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  OPENCLAW_AUTONOMY: "full",
  OPENCLAW_MAX_BODY_BYTES: "67108864",
  OPENCLAW_CONTEXT_TOKENS: "100000000",
  OPENCLAW_TOOL_TIMEOUT_SECONDS: "3",
  OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS: "3",
  OPENCLAW_ALLOW_SHELL: "true",
  OPENCLAW_ALLOW_CODE: "javascript,python,bash,node",
  OPENCLAW_ALLOW_GIT: "true",
  OPENCLAW_ALLOW_GIT_FETCH: "true",
  OPENCLAW_ALLOW_GIT_PUSH: "true",
  OPENCLAW_ALLOW_WEB_FETCH: "true",
  OPENCLAW_ALLOW_WEB_SEARCH: "true",
  OPENCLAW_ALLOW_BROWSER: "true",
  OPENCLAW_ALLOW_BROWSER_SCRIPT: "true",
  OPENCLAW_BROWSER_IDLE_SECONDS: "2",
  OPENCLAW_ALLOW_PDF: "true",
  OPENCLAW_ALLOW_DATABASE: "true",
  OPENCLAW_ALLOW_EMAIL: "true",
  OPENCLAW_ALLOW_IMAGE_GEN: "true",
  OPENCLAW_ALLOW_PROCESS_NETWORK: "true",
  OPENCLAW_PROJECT: "attacked",
  OPENCLAW_PROCESS_COUNT: "40",
  OPENCLAW_PROCESS_MEMORY_BYTES: String(512 * mebibyte),
  OPENCLAW_PROCESS_FILE_BYTES: String(256 * mebibyte),
  OPENCLAW_WEB_SEARCH_PROVIDER: "searxng",
  OPENCLAW_WEB_SEARCH_ENDPOINT: service,
  OPENCLAW_IMAGE_ENDPOINT: `${service}/v1`,
  OPENCLAW_IMAGE_KEY: `sk-${canary}-key`,
  OPENCLAW_SMTP_URL: `smtp://claw:correct%20horse@127.0.0.1:${mail.port}`,
  OPENCLAW_EMAIL_FROM: "claw@example.com",
  OPENCLAW_EMAIL_RECIPIENTS: "*@example.com",
  OPENCLAW_DATABASES: JSON.stringify({ sales: `postgres://sales:${canary}@127.0.0.1:1/sales` }),
});

const wrong = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap(({ attack, fault }) =>
    fault === undefined ? [] : [`${attack.tool}, ${attack.tries}: it ${fault}`],
  );

/** What every run of attacks must leave behind: nothing. */
async function expectNothingLeft(
  tools: ToolRun,
  place: Place,
  servers: Servers,
  before: ReturnType<typeof stateOf>,
) {
  expect(await tools.call("time", {})).toMatchObject({ status: "ok" });
  const own = programOf(tools.server.pid);
  // It keeps two interpreters for the next call, for half a minute.
  const strange = (pids: readonly number[]) => pids.filter((pid) => programOf(pid) !== own);
  const children = () => childrenOf(tools.server.pid);
  expect(await eventually(() => strange(children()))).toEqual([]);
  expect(children().length).toBeLessThanOrEqual(2);
  const left = () => strange(processesOf(attacker).filter((pid) => !before.processes.includes(pid)));
  expect(await eventually(left)).toEqual([]);
  expect(outsideState(place)).toBe(before.outside);
  expect(readdirSync(join(place.host, "work")).filter((name) => name.includes("pwned"))).toEqual([]);
  expect(servers.hits).toEqual([]);
  for (const { to } of servers.mail.received) expect(to).toEqual(["ada@example.com"]);
  const said = tools.server.stdout() + tools.server.stderr();
  expect(leak(said, secrets)).toBeUndefined();
  const data = join(place.host, "data");
  for (const name of readdirSync(data, { recursive: true, encoding: "utf8" })) {
    const bytes = readFileSync(join(data, name), { flag: "r" }).toString("latin1");
    expect([name, leak(bytes, secrets)]).toEqual([name, undefined]);
  }
}

const stateOf = (tools: ToolRun, place: Place) => ({
  outside: outsideState(place),
  processes: processesOf(attacker).filter((pid) => pid !== tools.server.pid),
});

/** What is left of a list when nothing more goes away. */
async function eventually(list: () => readonly number[]): Promise<readonly number[]> {
  for (let tries = 0; tries < 50 && list().length > 0; tries += 1) await Bun.sleep(100);
  return list();
}

/** Prints what the server keeps of a whole run, beside what it had before. */
function expectMemoryBack({ server }: { server: { pid: number } }, before: number, attacks: number) {
  const growth = memoryOf(server.pid) - before;
  console.log(`memory of the gateway after ${attacks} attacks: +${(growth / mebibyte).toFixed(0)} MiB`);
  expect(growth).toBeLessThan(mostGrowth);
}

describe("every attack is refused or bounded", () => {
  test("with the sandbox as this machine has it", async () => {
    await using servers = await someServers();
    using place = aPlace();
    const env = {
      ...everything(place, servers),
      OPENCLAW_ALLOW_PRIVATE_NETWORK: "true",
      OPENCLAW_ALLOWED_HOSTS: servers.siteHost,
    };
    await using tools = await startToolRun(env);
    await tools.call("time", {});
    const before = stateOf(tools, place);
    const memory = memoryOf(tools.server.pid);
    const target = { place, servers, ownUrl: tools.server.url, ownPid: tools.server.pid };
    expect(allAttacks(target).length).toBeGreaterThan(1000);
    const attacks = attacksIn("machine", target);
    expect(attacks.length).toBeGreaterThan(300);
    const outcomes = await runAttacks(tools.run, attacks, { secrets });
    expect(wrong(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(attacks.length);
    await expectNothingLeft(tools, place, servers, before);
    expectMemoryBack(tools, memory, outcomes.length);
    const check = await runExecutable(["--check"], {
      ...env,
      OPENCLAW_AUTH_TOKEN: tools.token,
      MODEL_PROVIDER_ENDPOINT: tools.modelUrl,
      MODEL_PROVIDER_MODEL: "scripted",
    });
    expect(check).toMatchObject({ code: 0 });
    expect(leak(check.stdout + check.stderr, secrets)).toBeUndefined();
  }, 120_000);

  test("in an empty root, by a user who is not root, without bubblewrap", async () => {
    await using servers = await someServers();
    await using root = await anEmptyRoot();
    const place = aPlace(root.path);
    await using tools = await startToolRun(
      { ...everything(place, servers), HOME: place.data },
      { wrapper: root.wrapper },
    );
    expect(readlinkSync(`/proc/${tools.server.pid}/root`)).toBe(root.path);
    await tools.call("time", {});
    const before = stateOf(tools, place);
    const memory = memoryOf(tools.server.pid);
    const target = { place, servers, ownUrl: tools.server.url, ownPid: tools.server.pid };
    const attacks = attacksIn("root", target);
    expect(attacks.length).toBeGreaterThan(300);
    const outcomes = await runAttacks(tools.run, attacks, { secrets });
    expect(wrong(outcomes)).toEqual([]);
    await expectNothingLeft(tools, place, servers, before);
    expectMemoryBack(tools, memory, outcomes.length);
  }, 120_000);
});
