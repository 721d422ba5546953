import { createApprovals } from "./agent/approvals.ts";
import { branchCommands } from "./agent/branch-commands.ts";
import { type Command, helpCommand } from "./agent/commands.ts";
import { compactCommand, createCompaction } from "./agent/compact.ts";
import { createAgent } from "./agent/loop.ts";
import { createPrompt, notesLength } from "./agent/prompt.ts";
import { createRecall } from "./agent/recall.ts";
import { sessionCommands } from "./agent/session-commands.ts";
import { createTurnEnds } from "./agent/turn-ends.ts";
import { plainRequest, type Turn, type TurnEvent } from "./agent/turn.ts";
import type { Settings } from "./config/settings.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { Listening } from "./gateway/serve.ts";
import { createLanes } from "./llm/lanes.ts";
import { userMessage } from "./llm/message.ts";
import { createPrices } from "./llm/prices.ts";
import { inferProvider, inferProviders, type Provider } from "./llm/providers.ts";
import { commands } from "./middleware/commands.ts";
import { contextWindow, windowBytes } from "./middleware/context-window.ts";
import { oneAtATime } from "./middleware/one-at-a-time.ts";
import { pipeline } from "./middleware/pipeline.ts";
import { rateLimit } from "./middleware/rate-limit.ts";
import { createSlots, withSlots } from "./middleware/slots.ts";
import { tokenBudget } from "./middleware/token-budget.ts";
import type { CanNotes } from "./sandbox/capabilities.ts";
import { createGrants, type Grants } from "./sandbox/grants.ts";
import { openRoots, type Roots } from "./sandbox/roots.ts";
import { createSandbox, type Lend } from "./sandbox/sandbox.ts";
import { createBudgets } from "./store/budgets.ts";
import { createLedger } from "./store/ledger.ts";
import * as notes from "./store/notes.ts";
import { memoryStore, openStore, type Store } from "./store/open.ts";
import { log } from "./telemetry/log.ts";
import { tools } from "./tools/index.ts";
import { createTurns } from "./turns/create-turns.ts";
import { ownSessions } from "./turns/own-sessions.ts";
import { startRetention } from "./turns/retention.ts";
import type { Turns } from "./turns/turns.ts";

/** A server that is put together, and not yet listening. */
export interface App {
  listen(): Promise<{ url: string; port: number }>;
  /** Refuses new turns, lets the running ones finish for `drainMs`, then closes the connections and the store. */
  stop(drainMs: number): Promise<void>;
  readonly warnings: readonly string[];
  /** Model and provider, for people. */
  readonly model: string;
  readonly tools: readonly string[];
  readonly dataDir: string;
  /** The operator's token when this start made one. */
  readonly madeToken?: string;
}

const lendNotes = (store: Store, owner: string): CanNotes => ({
  get: (key) => store.read((tx) => notes.get(tx, owner, key)),
  put: (key, content) => store.write((tx) => notes.put(tx, owner, { key, content, now: Date.now() })),
  remove: (key) => store.write((tx) => notes.remove(tx, owner, key)),
  list: async (limit) => (await store.read((tx) => notes.list(tx, owner, { limit }))).items,
  search: (query, options) => store.read((tx) => notes.search(tx, owner, query, options)),
});

/** `AGENTS.md` of the workspace, where the read roots hold it; read anew for each turn, because people edit it. */
const workspaceNotes = (lend: Lend, hasWorkspace: boolean) => async (): Promise<string | undefined> => {
  const read = hasWorkspace
    ? lend.read?.({ turnId: "", callId: "", principal: "" }, AbortSignal.timeout(1000))
    : undefined;
  if (read === undefined) return undefined;
  const lines: string[] = [];
  let length = 0;
  try {
    await read.lines("AGENTS.md", (line) => {
      lines.push(line);
      length += line.length + 1;
      return length <= notesLength;
    });
  } catch {
    // Most workspaces have none; one that cannot be read is not worth a turn.
    return undefined;
  }
  return lines.join("\n");
};

/** Everything between the door and the model, over a store. */
function createCore(
  settings: Settings,
  providers: readonly Provider[],
  store: Store,
  roots: Roots,
  { lend }: Grants,
) {
  const priceOf = createPrices(settings.middleware.prices);
  const budgets = createBudgets(store, settings.middleware, priceOf);
  const ledger = createLedger(store, { priceOf, budgets });
  const lanes = createLanes(providers, ledger, settings.llm);
  const { llm, models } = lanes;
  const sandbox = createSandbox({ tools, lend, ...settings.sandbox });
  const approvals = createApprovals(store, { timeoutMs: settings.agent.approvalTimeoutMs });
  const contextBytes = windowBytes(settings.middleware.contextTokens);
  const prompt = createPrompt({
    tools: sandbox.names,
    readRoots: roots.read.map((root) => root.path),
    writeRoots: roots.write.map((root) => root.path),
    autonomy: settings.agent.autonomy,
    workspaceNotes: workspaceNotes(lend, roots.workspace !== undefined),
    recall: createRecall({
      most: settings.agent.recall,
      search: (owner, text, limit) => store.read((tx) => notes.search(tx, owner, text, { limit })),
    }),
    ...(roots.workspace !== undefined && { workspace: roots.workspace }),
    ...(settings.agent.systemPrompt !== undefined && { systemPrompt: settings.agent.systemPrompt }),
  });
  const agent = createAgent({
    ...settings.agent,
    rules: settings.agent,
    llm,
    sandbox,
    approvals,
    prompt,
    contextBytes,
    modelBytes: async (model, signal) => {
      const tokens = await lanes.window(model, signal);
      return tokens === undefined ? undefined : windowBytes(tokens);
    },
  });

  const compaction = createCompaction({
    store,
    llm,
    share: settings.agent.compactionShare,
    roomBytes: () => {
      const taken = sandbox.offers.reduce((sum, { json }) => sum + json.length, 0);
      return Math.max(contextBytes - taken, contextBytes / 4);
    },
  });

  const stop = async (turn: Turn) => {
    const running = turn.sessionId === undefined ? undefined : await turns.current(turn.sessionId);
    return running === undefined || running === turn.id ? false : turns.cancel(running);
  };
  const list: Command[] = [
    ...sessionCommands({ store, models, approvals, stop }),
    ...branchCommands(store),
    compactCommand((turn) => compact(turn)),
    helpCommand(() => list),
  ];
  const { maxConcurrentTurns, maxWaitingTurns, maxWaitingPerSession } = settings.middleware;
  const ends = createTurnEnds(store);
  const slots = createSlots(maxConcurrentTurns, maxWaitingTurns);
  const budget = tokenBudget(budgets);
  const compact = pipeline([withSlots(slots), budget], compaction.onDemand);
  const run = pipeline(
    [
      commands(list, "now"),
      oneAtATime(store, ends),
      commands(list, "in_turn"),
      rateLimit(settings.middleware.turnsPerMinute, store),
      withSlots(slots),
      budget,
      contextWindow({ store, contextBytes, compaction }),
    ],
    agent,
  );
  const maxTurns = maxConcurrentTurns + maxWaitingTurns;
  const turns = createTurns({
    store,
    run,
    ends,
    commands: list,
    maxTurns,
    maxWaitingPerSession,
    // SQLite belongs to one process: there is nobody to wait for.
    ...(settings.store.databaseUrl !== undefined && { leaseMs: settings.store.leaseMs }),
  });
  return { models, breakers: lanes.breakers, sandbox, approvals, run, turns, slots };
}

interface Granting {
  readonly settings: Settings;
  readonly provider: Provider;
  readonly store: Store;
  readonly roots: Roots;
  readonly ownPort: () => number | undefined;
  /** The turns that are made later, from what is granted here. */
  readonly accept: Turns["accept"];
}

/** What the settings let tools touch. */
const grant = ({ settings, provider, store, roots, ownPort, accept }: Granting) =>
  createGrants(settings.sandbox, {
    roots,
    dataDir: settings.store.dataDir,
    ownPort,
    provider: { endpoint: provider.endpoint, key: provider.key },
    notes: (owner) => lendNotes(store, owner),
    sessions: (caller) => ownSessions(store, accept, caller),
  });

/** Puts the server together from its settings, once, by hand. Throws `AppError` naming the setting that is at fault. */
export async function assemble(settings: Settings, of: { version: string }): Promise<App> {
  const { dataDir } = settings.store;
  const providers = inferProviders(settings.llm);
  const [provider] = providers;
  const roots = openRoots(settings.sandbox);
  const store = await openStore(settings.store);
  let listening: Listening | undefined;
  const ownPort = () => listening?.port;
  const accept: Turns["accept"] = (turn, listener) => core.turns.accept(turn, listener);
  const grants = await grant({ settings, provider, store, roots, ownPort, accept });
  const core = createCore(settings, providers, store, roots, grants);
  const model = `${provider.model ?? "the first model listed"} (${provider.name})`;
  const gateway = createGateway({
    settings: settings.gateway,
    version: of.version,
    startedAt: Date.now(),
    store,
    turns: core.turns,
    run: core.run,
    approvals: core.approvals,
    models: core.models,
    get tools() {
      return core.sandbox.describe();
    },
    status: () => ({
      provider: provider.name,
      model: provider.model,
      breakers: core.breakers(),
      turns: { running: core.slots.running, waiting: core.slots.waiting },
      autonomy: settings.agent.autonomy,
    }),
  });

  const retention = startRetention(store, settings.turns);
  return {
    async listen() {
      listening = gateway.serve();
      // New messages wait for it; the first health check need not.
      core.turns
        .recover()
        .catch((error) => log.error("the turns of an earlier process could not be read", { error }));
      return listening;
    },
    async stop(drainMs) {
      const until = performance.now() + drainMs;
      gateway.drain();
      await core.turns.drain(drainMs);
      await listening?.stop(Math.max(0, until - performance.now()));
      await grants.close();
      await retention.stop();
      await store.close();
      roots.close();
    },
    warnings: grants.warnings,
    model,
    tools: core.sandbox.names,
    dataDir,
  };
}

/** One turn of the demo model with a tool call, through the whole pipeline, over a store in memory. */
export async function selfTest(settings: Settings): Promise<readonly TurnEvent[]> {
  const provider = inferProvider({ provider: "demo", timeoutMs: 5000 });
  const roots = openRoots({ workspace: undefined, readRoots: [], writeRoots: [] });
  const store = await memoryStore();
  try {
    const accept: Turns["accept"] = (turn) => core.turns.accept(turn);
    const grants = await grant({ settings, provider, store, roots, ownPort: () => undefined, accept });
    const core = createCore(settings, [provider], store, roots, grants);
    const text = "What time is it?";
    const turn: Turn = {
      id: "self-test",
      principal: { name: "operator", scope: "operator" },
      channel: "check",
      text,
      entries: [userMessage(text)],
      request: { ...plainRequest, approver: "none" },
      resumed: false,
      signal: AbortSignal.timeout(10_000),
      outsideSlot: (wait) => wait(),
    };
    return await Array.fromAsync(core.run(turn));
  } finally {
    await store.close();
  }
}
