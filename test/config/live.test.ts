import { expect, test } from "bun:test";
import { changesOf, createLiveSettings } from "../../src/config/live.ts";
import { loadSettings } from "../../src/config/load.ts";

function read(env: Record<string, string> = {}) {
  const { settings, problems, sources } = loadSettings({ HOME: "/home/x", ...env }, "/");
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return { settings, sources };
}

test("createLiveSettings follows what is live, and keeps the rest until a restart", () => {
  const { settings: before } = read({ OPENCLAW_AUTH_TOKEN: "first-token", OPENCLAW_PORT: "1" });
  const next = read({ OPENCLAW_AUTH_TOKEN: "second-token", OPENCLAW_PORT: "2" });
  const { settings: after } = next;
  const { settings, take } = createLiveSettings(before);
  expect(settings).toEqual(before);
  expect(changesOf(settings, after)).toEqual({
    live: ["OPENCLAW_AUTH_TOKEN"],
    afterRestart: ["OPENCLAW_PORT"],
  });
  take(next);
  expect(settings.gateway).toMatchObject({ authToken: "second-token", port: 1 });
  expect(changesOf(settings, after)).toEqual({ live: [], afterRestart: ["OPENCLAW_PORT"] });
});

test("createLiveSettings tells where the values came from that count now", () => {
  const agents = (name: string) => ({ OPENCLAW_AGENTS: JSON.stringify([{ name, description: "d" }]) });
  const first = read({ OPENCLAW_PORT: "1", OPENCLAW_JOBS: "[]", ...agents("one") });
  const live = createLiveSettings(first.settings, first.sources);
  expect(live.sources()).toEqual(first.sources);
  live.take(read({ OPENCLAW_PORT: "2", OPENCLAW_DRAIN_SECONDS: "9", ...agents("two") }));
  const shown = [...live.sources()].map(([name, source]) => [name, source.shown]);
  expect(Object.fromEntries(shown)).toEqual({
    OPENCLAW_PORT: '"1"',
    OPENCLAW_AGENTS: JSON.stringify(agents("two").OPENCLAW_AGENTS),
  });
});
