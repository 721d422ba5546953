import { usesDemo } from "../config/exposure.ts";
import { inferProviders } from "../llm/providers.ts";
import type { Check, Finding } from "./check.ts";
import { inspectDataFolder } from "./data-folder.ts";
import { inspectExposure, inspectGrants } from "./exposure.ts";

/** What `--check` looks at: offline, and without changing anything. */
export const offlineChecks: readonly Check[] = [
  {
    id: "settings",
    run({ notes, sources }): Finding {
      const unknown = notes.filter(({ kind }) => kind === "unknown");
      if (unknown.length > 0)
        return {
          state: "fail",
          text: unknown.map(({ text }) => text).join(" "),
          fix: "See openclaw --help.",
        };
      if (notes.length > 0) return { state: "warn", text: notes.map(({ text }) => text).join(" ") };
      return { state: "ok", text: sources.size === 0 ? "all at their defaults" : `${sources.size} set` };
    },
  },
  {
    id: "model",
    run({ settings }): Finding {
      if (usesDemo(settings.llm))
        return {
          state: "warn",
          text: "demo: a script that answers offline",
          fix: "Set MODEL_PROVIDER_KEY, or MODEL_PROVIDER_ENDPOINT and MODEL_PROVIDER_MODEL.",
        };
      const [{ name, model }, ...others] = inferProviders(settings.llm);
      return {
        state: "ok",
        text: `${model ?? "the first model"} of ${name}${others.map((each) => `, and ${each.name}`).join("")} (not asked: this test is offline)`,
      };
    },
  },
  {
    id: "store",
    async run(): Promise<Finding> {
      const { memoryStore } = await import("../store/open.ts");
      const store = await memoryStore();
      try {
        await store.check();
        return { state: "ok", text: "a database in memory takes a commit" };
      } finally {
        await store.close();
      }
    },
  },
  { id: "data", run: ({ settings }) => inspectDataFolder(settings.store.dataDir) },
  {
    id: "page",
    async run(): Promise<Finding> {
      const { pageAssets } = await import("../gateway/web/assets.ts");
      const assets = Object.entries(pageAssets);
      const empty = assets.filter(([, { body }]) => body.length === 0).map(([path]) => path);
      if (assets.length === 0 || empty.length > 0)
        return { state: "fail", text: `The chat page lacks ${empty.join(", ") || "all of it"}.` };
      return { state: "ok", text: `the chat page is embedded (${assets.length} files)` };
    },
  },
  {
    id: "turn",
    async run({ settings, selfTest }): Promise<Finding> {
      const events = await selfTest(settings);
      const called = events.find((event) => event.type === "tool_result");
      if (called?.resultStatus !== "ok") return { state: "fail", text: "The demo turn ran no tool." };
      if (events.at(-1)?.type !== "done") return { state: "fail", text: "The demo turn did not end." };
      return { state: "ok", text: `a demo turn called ${called.toolName} and answered` };
    },
  },
  { id: "exposure", run: ({ settings }) => inspectExposure(settings) },
  { id: "grants", run: ({ settings }) => inspectGrants(settings) },
  {
    id: "versions",
    async run({ version }): Promise<Finding> {
      const { inspectVersions } = await import("./process.ts");
      return inspectVersions(version);
    },
  },
  {
    id: "memory",
    async run({ settings }): Promise<Finding> {
      const { inspectMemory } = await import("./process.ts");
      return inspectMemory(settings);
    },
  },
  {
    id: "files",
    async run({ settings }): Promise<Finding> {
      const { inspectOpenFiles } = await import("./process.ts");
      return inspectOpenFiles(settings);
    },
  },
  {
    id: "jobs",
    async run({ settings }): Promise<Finding> {
      const { inspectJobs } = await import("./jobs.ts");
      return inspectJobs(settings);
    },
  },
  {
    id: "sandbox",
    async run({ settings }): Promise<Finding> {
      const { inspectSandbox } = await import("./sandbox.ts");
      return inspectSandbox(settings);
    },
  },
];
