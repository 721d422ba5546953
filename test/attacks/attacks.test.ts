import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { runExecutable } from "../helpers/executable.ts";
import { startToolRun, type ToolRun } from "../helpers/tool-run.ts";
import { anEmptyRoot } from "./empty-root.ts";
import { attackGrants } from "./grants.ts";
import { memoryOf, programOf, startedBy } from "./machine.ts";
import { aPlace, outsideState, type Place } from "./place.ts";
import { leak, type Outcome, runAttacks } from "./run-attacks.ts";
import { type Servers, someServers } from "./servers.ts";
import { allAttacks, attacksIn } from "./table.ts";

const mebibyte = 1_048_576;
/** The goal is 64 MB, of a server that was just started; a bound for a test is ten times a goal. */
const mostGrowth = 640 * mebibyte;
const secrets = ["the-tests-own-token", "a-key-of-the-tests"];

const wrong = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap(({ attack, fault }) =>
    fault === undefined ? [] : [`${attack.tool}, ${attack.tries}: it ${fault}`],
  );

/** What every run of attacks must leave behind: nothing. */
async function expectNothingLeft(tools: ToolRun, place: Place, servers: Servers, outside: string) {
  expect(await tools.call("time", {})).toMatchObject({ status: "ok" });
  const own = programOf(tools.server.pid);
  // It keeps two interpreters for the next call, for half a minute.
  const strange = (pids: readonly number[]) => pids.filter((pid) => programOf(pid) !== own);
  const left = () => startedBy(tools.server.pid, [place.root || place.host]);
  expect(await eventually(() => strange(left()))).toEqual([]);
  expect(left().length).toBeLessThanOrEqual(2);
  expect(outsideState(place)).toBe(outside);
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

/** What is left of a list when nothing more goes away. */
async function eventually(list: () => readonly number[]): Promise<readonly number[]> {
  for (let tries = 0; tries < 200 && list().length > 0; tries += 1) await Bun.sleep(100);
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
      ...attackGrants(place, servers),
      OPENCLAW_ALLOW_PRIVATE_NETWORK: "true",
      OPENCLAW_ALLOWED_HOSTS: servers.siteHost,
    };
    await using tools = await startToolRun(env);
    await tools.call("time", {});
    const outside = outsideState(place);
    const memory = memoryOf(tools.server.pid);
    const target = { place, servers, ownUrl: tools.server.url, ownPid: tools.server.pid };
    expect(allAttacks(target).length).toBeGreaterThan(1000);
    const attacks = attacksIn("machine", target);
    expect(attacks.length).toBeGreaterThan(300);
    const outcomes = await runAttacks(tools.run, attacks, { secrets });
    expect(wrong(outcomes)).toEqual([]);
    expect(outcomes).toHaveLength(attacks.length);
    await expectNothingLeft(tools, place, servers, outside);
    expectMemoryBack(tools, memory, outcomes.length);
    const check = await runExecutable(["--check"], {
      ...env,
      OPENCLAW_AUTH_TOKEN: tools.token,
      MODEL_PROVIDER_ENDPOINT: tools.modelUrl,
      MODEL_PROVIDER_MODEL: "scripted",
    });
    expect(check).toMatchObject({ code: 0 });
    expect(leak(check.stdout + check.stderr, secrets)).toBeUndefined();
  }, 600_000);

  test("in an empty root, by a user who is not root, without bubblewrap", async () => {
    await using servers = await someServers();
    await using root = await anEmptyRoot();
    const place = aPlace(root.path);
    await using tools = await startToolRun(
      { ...attackGrants(place, servers), HOME: place.data },
      { wrapper: root.wrapper },
    );
    expect(readlinkSync(`/proc/${tools.server.pid}/root`)).toBe(root.path);
    await tools.call("time", {});
    const outside = outsideState(place);
    const memory = memoryOf(tools.server.pid);
    const target = { place, servers, ownUrl: tools.server.url, ownPid: tools.server.pid };
    const attacks = attacksIn("root", target);
    expect(attacks.length).toBeGreaterThan(300);
    const outcomes = await runAttacks(tools.run, attacks, { secrets });
    expect(wrong(outcomes)).toEqual([]);
    await expectNothingLeft(tools, place, servers, outside);
    expectMemoryBack(tools, memory, outcomes.length);
  }, 600_000);
});
