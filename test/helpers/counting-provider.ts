import { type ChatBody, type ModelServer, type Step, scriptedModel } from "./model-server.ts";

/** What a provider does with a turn, by the word in what its user says. */
export const words = [
  "plain",
  "tool",
  "delegate",
  "busy",
  "down",
  "long",
  "refuse",
  "drop",
  "cut",
  "hang",
] as const;
export type Word = (typeof words)[number];
/** After these a provider has told less than it has done: the ledger estimates. */
export const cutWords: readonly Word[] = ["drop", "cut", "hang"];

/** What a provider has told of the turns of one session. */
export interface Told {
  /** Input and output of each call that was answered, in order. */
  readonly calls: { readonly input: number; readonly output: number }[];
  /** Calls that were begun and cut off before their usage was told. */
  cut: number;
  summaries: number;
}

export interface CountingProvider extends AsyncDisposable {
  /** The first provider and its fallback. */
  readonly env: Readonly<Record<string, string>>;
  /** By session. */
  readonly told: ReadonlyMap<string, Told>;
}

/** How a text names the word and the session that it is about. */
export const saying = (word: Word, session: string, padding = "") =>
  `please ${word} in ${session}. ${padding}`;

const soon = { "retry-after-ms": "1" };

function random(seed: number) {
  let state = seed;
  return (most: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % most;
  };
}

/** Two model servers, the second a fallback of the first, that count together what they told their clients. */
export function countingProvider(seed: number): CountingProvider {
  const next = random(seed);
  const told = new Map<string, Told>();
  const busied = new Set<string>();

  const script =
    (isFallback: boolean) =>
    (body: ChatBody): Step => {
      const last = body.messages.at(-1);
      const text = String(body.messages.findLast(({ role }) => role === "user")?.content ?? "");
      // A summary is asked for with what was said, which names its session too.
      const [, word = "plain", session = ""] = /please (\w+) in (\w+)\./.exec(text) ?? [];
      const sums = told.get(session) ?? { calls: [], cut: 0, summaries: 0 };
      told.set(session, sums);
      const isSummary = text.startsWith("<transcript>");
      if (isSummary) sums.summaries++;
      const answer = (step: Step): Step => {
        const used = { input: 1 + next(500), output: 1 + next(50) };
        sums.calls.push(used);
        return { ...step, usage: used };
      };
      const cut = (step: Step): Step => {
        sums.cut++;
        return step;
      };
      const first = !busied.has(session);
      if (word === "busy" || word === "drop") busied.add(session);

      if (word === "refuse") return { status: 400 };
      if (word === "down" && !isFallback) return { status: 503, headers: soon };
      if (word === "busy" && first) return { status: 429, headers: soon };
      if (word === "drop" && first) return cut({ closeAfter: 0 });
      if (word === "cut") return cut({ text: ["half ", "of ", "it"], closeAfter: 2 });
      if (word === "hang") return cut({ text: ["half "], hang: "body" });
      if (word === "tool" && last?.role !== "tool")
        return answer({ calls: [{ name: "time", arguments: {} }] });
      if (word === "delegate" && last?.role !== "tool") {
        const given = { profile: "helper", task: saying("tool", session) };
        return answer({ calls: [{ name: "delegate_agent", arguments: given }] });
      }
      return answer({ text: isSummary ? "In short." : ["all ", "of ", "it"] });
    };

  const servers: readonly ModelServer[] = [scriptedModel(script(false)), scriptedModel(script(true))];
  const providers = servers.map(({ url }, at) => ({ name: `p${at}`, endpoint: url, model: "scripted" }));
  return {
    env: {
      OPENCLAW_PROVIDERS: JSON.stringify(providers),
      OPENCLAW_FALLBACK_MODELS: "p1/scripted",
      OPENCLAW_LLM_RETRIES: "1",
      // A provider that fails so often would be left alone.
      OPENCLAW_BREAKER_THRESHOLD: "0",
      OPENCLAW_CONTEXT_TOKENS: "4000",
      OPENCLAW_ALLOW_DELEGATION: "true",
      OPENCLAW_AGENTS: '[{"name": "helper", "description": "Helps."}]',
    },
    told,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.close();
    },
  };
}
