import { expect, test } from "bun:test";
import { changesOf, createLiveSettings } from "../../src/config/live.ts";
import { loadSettings } from "../../src/config/load.ts";

function settingsOf(env: Record<string, string> = {}) {
  const { settings, problems } = loadSettings({ HOME: "/home/x", ...env }, "/");
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return settings;
}

test("createLiveSettings follows what is live, and keeps the rest until a restart", () => {
  const before = settingsOf({ OPENCLAW_AUTH_TOKEN: "first-token", OPENCLAW_PORT: "1" });
  const after = settingsOf({ OPENCLAW_AUTH_TOKEN: "second-token", OPENCLAW_PORT: "2" });
  const { settings, take } = createLiveSettings(before);
  expect(settings).toEqual(before);
  expect(changesOf(settings, after)).toEqual({
    live: ["OPENCLAW_AUTH_TOKEN"],
    afterRestart: ["OPENCLAW_PORT"],
  });
  take(after);
  expect(settings.gateway).toMatchObject({ authToken: "second-token", port: 1 });
  expect(changesOf(settings, after)).toEqual({ live: [], afterRestart: ["OPENCLAW_PORT"] });
});
