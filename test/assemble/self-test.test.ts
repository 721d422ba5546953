import { expect, test } from "bun:test";
import { selfTest } from "../../src/assemble/self-test.ts";
import { loadSettings } from "../../src/config/load.ts";

test.each([
  {},
  { OPENCLAW_MAX_ITERATIONS: "1" },
  { OPENCLAW_TURN_TOKEN_BUDGET: "500" },
  { OPENCLAW_DAILY_TOKEN_BUDGET: "1" },
  { OPENCLAW_DAILY_COST_BUDGET: "0.000001", OPENCLAW_PRICES: '{"demo":{"input":1000,"output":1000}}' },
  { OPENCLAW_NAME_TOKEN_BUDGETS: "operator=100" },
  { OPENCLAW_APPROVAL_TOOLS: "time" },
])("selfTest calls a tool and answers with %j, which serves other turns", async (env) => {
  const { settings, problems } = loadSettings({ HOME: "/home/x", ...env }, "/");
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  const events = await selfTest(settings);
  expect(events.find(({ type }) => type === "tool_result")).toMatchObject({ resultStatus: "ok" });
  expect(events.at(-1)).toMatchObject({ type: "done" });
});
