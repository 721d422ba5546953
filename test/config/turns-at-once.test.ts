import { expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";

const turnsWith = (environment: Record<string, string>) =>
  loadSettings({ HOME: "/nowhere", ...environment }, "/").settings?.middleware.maxConcurrentTurns;

test("turns at once are what Bun lets out to the models, unless they are set", () => {
  expect(turnsWith({})).toBe(240);
  expect(turnsWith({ BUN_CONFIG_MAX_HTTP_REQUESTS: "" })).toBe(240);
  expect(turnsWith({ BUN_CONFIG_MAX_HTTP_REQUESTS: "300" })).toBe(284);
  expect(turnsWith({ BUN_CONFIG_MAX_HTTP_REQUESTS: "7" })).toBe(1);
  expect(turnsWith({ BUN_CONFIG_MAX_HTTP_REQUESTS: "2000" })).toBe(1000);
  expect(turnsWith({ OPENCLAW_MAX_CONCURRENT_TURNS: "500" })).toBe(500);
});
