import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { httpStatus } from "../../src/errors.ts";
import { type RunningExecutable, startExecutable } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { type ChatBody, type ModelServer, scriptedModel } from "../helpers/model-server.ts";
import { until } from "../helpers/until.ts";
import { faults } from "../llm/fault-table.ts";
import { type Doors, eachAtOnce, good, openDoors, type Outcome } from "./doors.ts";

const key = "sk-secret-key-0123456789";
/** What an impatient server gives a provider: enough for a first token on a slow machine. */
const timeoutMs = 3000;
/** That no turn hangs is the claim here; test/llm/fault-list.test.ts holds what comes beyond the deadline. */
const slackMs = 8000;
const doorNames = [
  "/v1/chat/completions",
  "/v1/chat/completions, streamed",
  "/v1/responses",
  "/v1/responses, streamed",
  "/ws",
] as const;
type DoorName = (typeof doorNames)[number];

const asked = (body: ChatBody) => String(body.messages.findLast(({ role }) => role === "user")?.content);

let model: ModelServer;
let server: RunningExecutable;
let doors: Doors;

const start = (env: Readonly<Record<string, string>> = {}) =>
  startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_KEY: key,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_PROVIDERS: JSON.stringify([
      { name: "refused", endpoint: "http://127.0.0.1:1/v1", models: ["m"] },
      // No label of a name is so long: that is known without asking a server of names.
      { name: "nameless", endpoint: `http://${"nowhere".repeat(10)}.invalid/v1`, models: ["m"] },
      { name: "no-tls", endpoint: model.url.replace("http:", "https:"), models: ["m"] },
    ]),
    OPENCLAW_LLM_RETRIES: "1",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_CONNECTION_RATE_PER_MINUTE: "0",
    ...env,
  });

beforeAll(async () => {
  const steps = new Map(faults.map(([name, step]) => [name, step]));
  model = scriptedModel((body) => steps.get(asked(body)) ?? { text: good }, { keep: 0 });
  server = await start();
  doors = await openDoors(server.url);
});

afterAll(async () => {
  doors[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  await model.close();
});

function doorOf(name: string, { all }: Doors = doors) {
  const found = all.find(([each]) => each === name);
  if (found === undefined) throw new Error(`There is no door ${name}.`);
  return found[1];
}

/** What matters of an outcome, to be compared for all faults at once. */
const inShort = ({ status, error, text }: Outcome) => ({ status, code: error?.code, begun: text !== "" });

type Fault = (typeof faults)[number];

/** Has each of these faults happen, all at once, to a turn through a door, and a good turn behind each. */
async function expectTrueErrors(name: DoorName, those: readonly Fault[], at: Doors = doors) {
  const isStreamed = name.endsWith("streamed") || name === "/ws";
  const statusOf = (code: keyof typeof httpStatus, isBegun: boolean) => {
    if (name === "/ws") return undefined;
    return isBegun ? 200 : httpStatus[code];
  };
  const door = doorOf(name, at);
  const outcomes = await eachAtOnce(those, those.length, async ([fault]) => {
    const begin = performance.now();
    const outcome = await door(fault);
    const isInTime = performance.now() - begin < timeoutMs + slackMs;
    expect((await door(good)).text).toBe(good);
    expect(outcome.error?.message ?? "").not.toContain(key);
    return [fault, { ...inShort(outcome), isInTime }] as const;
  });
  const expected = those.map(([fault, step, code], at) => {
    // A reset may overtake the token before it.
    const isHeard = step.closeHow !== "reset" || outcomes[at]?.[1].begun === true;
    const begun = isStreamed && step.text !== undefined && isHeard;
    return [fault, { status: statusOf(code, begun), code, begun, isInTime: true }];
  });
  expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(expected));
}

const silent = faults.filter(([, , code]) => code === "provider_timeout");
const others = faults.filter((fault) => !silent.includes(fault));

describe.each(doorNames)("openclaw over %s", (name) => {
  test("answers every fault of a provider with a true error in time, and then a good turn", () =>
    expectTrueErrors(name, others));

  test("tells a provider that nobody reaches, and one without TLS, from an answer", async () => {
    const door = doorOf(name);
    const broken = await eachAtOnce(["refused", "nameless", "no-tls"], 3, (each) => door(good, `${each}/m`));
    for (const { status, error } of broken)
      expect([status, error?.code]).toEqual([name === "/ws" ? undefined : 502, "provider_error"]);
    expect((await door(good)).text).toBe(good);
  });
});

test("openclaw stops a provider that falls silent or drips, over every door, and then takes a good turn", async () => {
  await using impatient = await start({
    OPENCLAW_LLM_TIMEOUT_SECONDS: `${timeoutMs / 1000}`,
    OPENCLAW_LLM_SILENCE_SECONDS: "1",
  });
  using theirs = await openDoors(impatient.url);
  await Promise.all(doorNames.map((name) => expectTrueErrors(name, silent, theirs)));
  expect(impatient.stdout() + impatient.stderr()).not.toContain(key);
});

test("openclaw keeps no socket of a provider that failed, and writes no key into its log", async () => {
  const quick = faults.filter(([, step]) => !step.hang && !step.gate && !step.rawBytes?.[39]);
  const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;
  const turns = Array.from({ length: runs(150, 3000) }, (_, at) => at);
  const before = descriptors();
  await eachAtOnce(turns, 30, (at) => {
    const [fault] = quick[at % quick.length] ?? [good];
    return doorOf(doorNames[at % 4] ?? doorNames[0])(fault);
  });
  await until("no request is being answered", () => model.pending() === 0);
  // Connections to the model and from us are kept for a while: as many as were there at once.
  await until("the sockets of those that failed are closed", () => descriptors() - before < 60);
  expect(server.stdout() + server.stderr()).not.toContain(key);
}, 120_000);
