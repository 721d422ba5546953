import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { httpStatus } from "../../src/errors.ts";
import { type RunningExecutable, startExecutable } from "../helpers/executable.ts";
import { runs } from "../helpers/long.ts";
import { type ChatBody, type ModelServer, scriptedModel } from "../helpers/model-server.ts";
import { faults } from "../llm/fault-table.ts";
import { type Doors, eachAtOnce, good, openDoors, type Outcome } from "./doors.ts";

const key = "sk-secret-key-0123456789";
const timeoutMs = 1500;
/** That no turn hangs is the claim here; test/llm/fault-list.test.ts holds the second beyond the deadline. */
const slackMs = 8000;
const doorNames = [
  "/v1/chat/completions",
  "/v1/chat/completions, streamed",
  "/v1/responses",
  "/v1/responses, streamed",
  "/ws",
] as const;

const asked = (body: ChatBody) => String(body.messages.findLast(({ role }) => role === "user")?.content);

let model: ModelServer;
let server: RunningExecutable;
let doors: Doors;

beforeAll(async () => {
  const steps = new Map(faults.map(([name, step]) => [name, step]));
  model = scriptedModel((body) => steps.get(asked(body)) ?? { text: good }, { keep: 0 });
  server = await startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_KEY: key,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_PROVIDERS: JSON.stringify([
      { name: "refused", endpoint: "http://127.0.0.1:1/v1", models: ["m"] },
      { name: "nameless", endpoint: "http://nowhere.invalid/v1", models: ["m"] },
      { name: "no-tls", endpoint: model.url.replace("http:", "https:"), models: ["m"] },
    ]),
    OPENCLAW_LLM_TIMEOUT_SECONDS: `${timeoutMs / 1000}`,
    OPENCLAW_LLM_FIRST_TOKEN_SECONDS: "1",
    OPENCLAW_LLM_SILENCE_SECONDS: "0.5",
    OPENCLAW_LLM_RETRIES: "1",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_CONNECTION_RATE_PER_MINUTE: "0",
  });
  doors = await openDoors(server.url);
});

afterAll(async () => {
  doors[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  await model.close();
});

function doorOf(name: string) {
  const found = doors.all.find(([each]) => each === name);
  if (found === undefined) throw new Error(`There is no door ${name}.`);
  return found[1];
}

/** What matters of an outcome, to be compared for all faults at once. */
const inShort = ({ status, error, text }: Outcome) => ({ status, code: error?.code, begun: text !== "" });

describe.each(doorNames)("openclaw over %s", (name) => {
  const isStreamed = name.endsWith("streamed") || name === "/ws";
  const statusOf = (code: keyof typeof httpStatus, isBegun: boolean) => {
    if (name === "/ws") return undefined;
    return isBegun ? 200 : httpStatus[code];
  };

  test("answers every fault of a provider with a true error in time, and then a good turn", async () => {
    const door = doorOf(name);
    const outcomes = await eachAtOnce(faults, faults.length, async ([fault]) => {
      const start = performance.now();
      const outcome = await door(fault);
      const isInTime = performance.now() - start < timeoutMs + slackMs;
      expect((await door(good)).text).toBe(good);
      expect(outcome.error?.message ?? "").not.toContain(key);
      return [fault, { ...inShort(outcome), isInTime }] as const;
    });
    const expected = faults.map(([fault, step, code], at) => {
      // A reset may overtake the token before it.
      const isHeard = step.closeHow !== "reset" || outcomes[at]?.[1].begun === true;
      const begun = isStreamed && step.text !== undefined && isHeard;
      return [fault, { status: statusOf(code, begun), code, begun, isInTime: true }];
    });
    expect(Object.fromEntries(outcomes)).toEqual(Object.fromEntries(expected));
  });

  test("tells a provider that nobody reaches, and one without TLS, from an answer", async () => {
    const door = doorOf(name);
    const broken = await eachAtOnce(["refused", "nameless", "no-tls"], 3, (each) => door(good, `${each}/m`));
    const codes = broken.map(({ error }) => error?.code);
    expect(codes[0]).toBe("provider_error");
    // A resolver without a network may be as slow as it likes.
    expect(["provider_error", "provider_timeout"]).toContain(codes[1] ?? "none");
    expect(codes[2]).toBe("provider_error");
    for (const { status, error } of broken)
      expect(status).toBe(name === "/ws" ? undefined : error?.code === "provider_timeout" ? 504 : 502);
    expect((await door(good)).text).toBe(good);
  });
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
  while (model.pending() > 0) await Bun.sleep(1);
  // Connections to the model and from us are kept for a while: as many as were there at once.
  expect(descriptors() - before).toBeLessThan(60);
  expect(server.stdout() + server.stderr()).not.toContain(key);
}, 120_000);
