import type { Check, Finding } from "./check.ts";

const mostSeconds = 45;

/** What `--doctor` looks at beside the offline checks: it asks the providers, which costs a few tokens. */
export const onlineChecks: readonly Check[] = [
  {
    id: "provider",
    async run({ settings, ledger }): Promise<Finding> {
      const { checkProvider } = await import("../llm/check-provider.ts");
      const { inferProviders } = await import("../llm/providers.ts");
      const signal = AbortSignal.timeout(mostSeconds * 1000);
      const verdicts = await Promise.all(
        inferProviders(settings.llm).map(async (provider): Promise<Finding> => {
          try {
            return await checkProvider(provider, signal, ledger);
          } catch (error) {
            if (!signal.aborted) throw error;
            return { state: "fail", text: `${provider.name} did not answer within ${mostSeconds} s.` };
          }
        }),
      );
      const state = ["fail", "warn", "ok"].find((each) => verdicts.some((verdict) => verdict.state === each));
      const fixes = verdicts.flatMap(({ fix }) => fix ?? []);
      return {
        state: state === "fail" || state === "warn" ? state : "ok",
        text: verdicts.map(({ text }) => text).join(" "),
        ...(fixes.length > 0 && { fix: fixes.join(" ") }),
      };
    },
  },
  {
    id: "port",
    async run({ settings, isServing }): Promise<Finding> {
      if (isServing === true) return { state: "ok", text: "this server listens on it" };
      const { inspectPort } = await import("./port.ts");
      return inspectPort(settings);
    },
  },
  {
    id: "browser",
    async run({ settings }): Promise<Finding> {
      const { inspectBrowser } = await import("./browser.ts");
      return inspectBrowser(settings);
    },
  },
  {
    id: "channels",
    async run({ settings }): Promise<Finding> {
      const { inspectChannels } = await import("./channels.ts");
      return inspectChannels(settings, AbortSignal.timeout(mostSeconds * 1000));
    },
  },
  {
    id: "clock",
    async run({ settings }): Promise<Finding> {
      const { inspectClock } = await import("./clock.ts");
      return inspectClock(settings);
    },
  },
];
