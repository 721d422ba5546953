import { anEmptyRoot } from "../../test/attacks/empty-root.ts";
import { aPlace, type Place } from "../../test/attacks/place.ts";
import { runAttacks } from "../../test/attacks/run-attacks.ts";
import { type Servers, someServers } from "../../test/attacks/servers.ts";
import { attacksIn } from "../../test/attacks/table.ts";
import { startToolRun, type ToolRun } from "../../test/helpers/tool-run.ts";
import { attackGrants } from "../../test/attacks/grants.ts";
import { memoryMb } from "./process.ts";
import { limitRow, type Row } from "./row.ts";

/** By then it has tidied up, and what it keeps warm for the next call has ended. */
const restMs = 60_000;
const mostMb = 64;

interface Attacked {
  readonly where: "machine" | "root";
  readonly tools: ToolRun;
  readonly place: Place;
  readonly servers: Servers;
}

/** What the gateway holds more after all attacks and a rest than when it had just answered a first call. */
async function measureKept({ where, tools, place, servers }: Attacked): Promise<Row> {
  const { pid, url } = tools.server;
  await tools.call("time", {});
  const before = memoryMb(pid, "VmRSS");
  const attacks = attacksIn(where, { place, servers, ownUrl: url, ownPid: pid });
  await runAttacks(tools.run, attacks, { secrets: [] });
  const atOnce = memoryMb(pid, "VmRSS") - before;
  await Bun.sleep(restMs);
  const kept = memoryMb(pid, "VmRSS") - before;
  const how = where === "machine" ? "with the machine's sandbox" : "in an empty root";
  const note = `${attacks.length} attacks; ${atOnce.toFixed(0)} MB before the rest`;
  return limitRow(`memory kept of the attack run a minute later, ${how}`, "MB", kept, mostMb, note);
}

async function onMachine(servers: Servers): Promise<Row> {
  using place = aPlace();
  const env = { OPENCLAW_ALLOW_PRIVATE_NETWORK: "true", OPENCLAW_ALLOWED_HOSTS: servers.siteHost };
  await using tools = await startToolRun({ ...attackGrants(place, servers), ...env });
  return await measureKept({ where: "machine", tools, place, servers });
}

async function inRoot(servers: Servers): Promise<Row> {
  await using root = await anEmptyRoot();
  const place = aPlace(root.path);
  const env = { ...attackGrants(place, servers), HOME: place.data };
  await using tools = await startToolRun(env, { wrapper: root.wrapper });
  return await measureKept({ where: "root", tools, place, servers });
}

/** Memory that the gateway keeps of all attacks in test/attacks, in both places; the empty root takes root to enter. */
export async function measureAttacks(): Promise<Row[]> {
  await using servers = await someServers();
  const rows = [await onMachine(servers)];
  return process.getuid?.() === 0 ? [...rows, await inRoot(servers)] : rows;
}
