import { expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";
import { refuseWebhooks } from "../../src/config/refuse-webhooks.ts";

function refused(environment: Record<string, string>) {
  const { settings, problems } = loadSettings({ OPENCLAW_DATA_DIR: "/data", ...environment }, "/");
  expect(problems).toEqual([]);
  if (!settings) throw new Error("There are no settings.");
  return refuseWebhooks(settings);
}

const deploys = (over: object = {}) => JSON.stringify({ "my-deploys": { prompt: "{body}", ...over } });
const secret = { OPENCLAW_WEBHOOKS_MY_DEPLOYS_SECRET: "a-long-secret" };

test("refuseWebhooks refuses one without a secret, naming its variable", () => {
  expect(refused({ OPENCLAW_WEBHOOKS: deploys() }).map(({ env }) => env)).toEqual([
    "OPENCLAW_WEBHOOKS_MY_DEPLOYS_SECRET",
  ]);
  expect(
    refused({ OPENCLAW_WEBHOOKS: deploys(), OPENCLAW_WEBHOOKS_OTHERS_SECRET: "a-long-secret" }),
  ).toHaveLength(1);
  expect(refused({ OPENCLAW_WEBHOOKS: deploys(), ...secret })).toEqual([]);
  expect(refused({})).toEqual([]);
});

test("refuseWebhooks refuses one that delivers by a channel that is off, or is for an agent that is not there", () => {
  const OPENCLAW_WEBHOOKS = deploys({ delivery: { channel: "slack", recipient: "C1" }, agent: "ops" });
  const texts = refused({ OPENCLAW_WEBHOOKS, ...secret }).map(({ text }) => text);
  expect(texts).toEqual([
    expect.stringContaining("which is not on (none is)"),
    expect.stringContaining("the agent ops"),
  ]);
  const agents = JSON.stringify([
    { name: "ops", description: "Looks after the servers.", systemPrompt: "You run servers." },
  ]);
  const on = { SLACK_BOT_TOKEN: "xoxb-1", SLACK_SIGNING_SECRET: "signing", OPENCLAW_AGENTS: agents };
  expect(refused({ OPENCLAW_WEBHOOKS, ...secret, ...on })).toEqual([]);
});
