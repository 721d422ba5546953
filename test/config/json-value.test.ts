import { describe, expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";

const load = (env: Record<string, string>) => loadSettings({ OPENCLAW_DATA_DIR: "/nowhere", ...env }, "/");
const problem = (env: Record<string, string>) =>
  load(env)
    .problems.map(({ text }) => text)
    .join("\n");

describe("JSON settings", () => {
  test("read jobs, agents and webhooks with their defaults", () => {
    const { settings } = load({
      OPENCLAW_JOBS: '[{"name":"report","schedule":"@daily","prompt":"go"}]',
      OPENCLAW_AGENTS: '[{"name":"cook","description":"cooks","tools":["time"]}]',
      OPENCLAW_WEBHOOKS: '{"deploys":{"prompt":"ended: {body}"}}',
      OPENCLAW_WEBHOOKS_DEPLOYS_SECRET: "old-secret-1, new-secret-2",
    });
    expect(settings?.scheduler.jobs).toEqual([
      {
        name: "report",
        schedule: "@daily",
        prompt: "go",
        zone: "UTC",
        session: "own",
        catchUp: "once",
        overlap: "skip",
        timeoutSeconds: 600,
        retries: 2,
        enabled: true,
      },
    ]);
    expect(settings?.agent.agents).toEqual([{ name: "cook", description: "cooks", tools: ["time"] }]);
    expect(settings?.channels.webhooks).toEqual({
      deploys: { prompt: "ended: {body}", signature: "github" },
    });
    expect(settings?.channels.webhookSecrets).toEqual({ deploys: ["old-secret-1", "new-secret-2"] });
    expect(load({}).settings?.scheduler.jobs).toEqual([]);
    expect(load({}).settings?.channels.webhookSecrets).toEqual({});
  });

  test("tell what is wrong by its place", () => {
    expect(problem({ OPENCLAW_JOBS: "[{]" })).toContain("OPENCLAW_JOBS");
    expect(problem({ OPENCLAW_JOBS: '[{"name":"a b","schedule":"x","prompt":"top-secret"}]' })).toMatch(
      /look at 0\.name \(a name of letters/,
    );
    expect(
      problem({ OPENCLAW_AGENTS: '[{"name":"a","description":"x"},{"name":"a","description":"y"}]' }),
    ).toContain("names that differ from each other");
    expect(problem({ OPENCLAW_WEBHOOKS_DEPLOYS_SECRET: "short" })).toContain("at least 8 characters");
    expect(problem({ OPENCLAW_WEBHOOKS_DEPLOYS_SECRET: "short" })).not.toContain("short,");
  });

  test("know the names of a family, and report those that are none", () => {
    const { notes } = load({ OPENCLAW_WEBHOOKS_A_B_SECRET: "long-enough", OPENCLAW_WEBHOOKS_A_SECRE: "x" });
    expect(notes.map(({ text }) => text).join()).toContain("OPENCLAW_WEBHOOKS_A_SECRE is no setting");
    expect(notes).toHaveLength(1);
  });
});
