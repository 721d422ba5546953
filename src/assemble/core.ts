import { createApprovals } from "../agent/approvals.ts";
import { branchCommands } from "../agent/branch-commands.ts";
import { createRecordCalls } from "../agent/call-audit.ts";
import { type Command, helpCommand } from "../agent/commands.ts";
import { compactCommand, createCompaction } from "../agent/compact.ts";
import { liveProfiles } from "../agent/live-profiles.ts";
import { createAgent } from "../agent/loop.ts";
import { type Profiles, withProfileModels, withProfilesListed } from "../agent/profiles.ts";
import { createPrompt } from "../agent/prompt.ts";
import { createRecall } from "../agent/recall.ts";
import { sessionCommands } from "../agent/session-commands.ts";
import { createTurnEnds } from "../agent/turn-ends.ts";
import type { Turn } from "../agent/turn.ts";
import { workspaceNotes } from "../agent/workspace-notes.ts";
import { memoryMarkOf } from "../config/host-memory.ts";
import type { Settings } from "../config/settings.ts";
import { createLanes } from "../llm/lanes.ts";
import { createPrices } from "../llm/prices.ts";
import type { Provider } from "../llm/providers.ts";
import { commands } from "../middleware/commands.ts";
import { contextWindow, windowBytes } from "../middleware/context-window.ts";
import { createMemoryMark, memoryMark } from "../middleware/memory-mark.ts";
import { oneAtATime } from "../middleware/one-at-a-time.ts";
import { pipeline } from "../middleware/pipeline.ts";
import { rateLimit } from "../middleware/rate-limit.ts";
import { createSlots, withSlots } from "../middleware/slots.ts";
import { tokenBudget } from "../middleware/token-budget.ts";
import { traced } from "../middleware/traced.ts";
import { turnLimits } from "../middleware/turn-limits.ts";
import { withProfile } from "../middleware/with-profile.ts";
import type { Grants } from "../sandbox/grants.ts";
import type { Roots } from "../sandbox/files/roots.ts";
import { createSandbox, type Lend } from "../sandbox/sandbox.ts";
import type { AuditTrail } from "../store/audit.ts";
import { createBudgets } from "../store/budgets.ts";
import { createLedger } from "../store/ledger.ts";
import * as notes from "../store/notes.ts";
import type { Store } from "../store/open.ts";
import { tools } from "../tools/index.ts";
import { createTurns } from "../turns/create-turns.ts";
import { createDelegation } from "../turns/delegate.ts";
import type { Deliver } from "../turns/deliver.ts";
import { tracedAccept } from "../turns/traced-accept.ts";
import type { Turns } from "../turns/turns.ts";

/** Without anybody to delegate to there is no such tool. */
function lendFor({ list }: Profiles, { delegate, ...lend }: Lend): Lend {
  return list.length > 0 && delegate !== undefined ? { ...lend, delegate } : lend;
}

/** Everything between the door and the model, over a store. */
export function createCore(
  settings: Settings,
  providers: readonly Provider[],
  store: Store,
  roots: Roots,
  { lend }: Grants,
  { audit, deliver, more = [] }: { audit: AuditTrail; deliver?: Deliver; more?: readonly Command[] },
) {
  const priceOf = createPrices(settings.middleware.prices);
  const budgets = createBudgets(store, settings.middleware, priceOf);
  const ledger = createLedger(store, { priceOf, budgets });
  const lanes = createLanes(providers, ledger, settings.llm);
  const { llm } = lanes;
  const profiles = liveProfiles(() => settings.agent.agents);
  const models = withProfilesListed(lanes.models, profiles);
  const sandbox = createSandbox({ tools, lend: lendFor(profiles, lend), ...settings.sandbox });
  const approvals = createApprovals(store, { timeoutMs: settings.agent.approvalTimeoutMs, audit });
  const contextBytes = windowBytes(settings.middleware.contextTokens);
  const prompt = createPrompt({
    tools: sandbox.names,
    readRoots: roots.read.map((root) => root.path),
    writeRoots: roots.write.map((root) => root.path),
    autonomy: settings.agent.autonomy,
    profiles,
    workspaceNotes: workspaceNotes(lend, roots.workspace !== undefined),
    recall: createRecall({
      most: settings.agent.recall,
      search: (owner, text, limit) => store.read((tx) => notes.search(tx, owner, text, { limit })),
    }),
    ...(roots.workspace !== undefined && { workspace: roots.workspace }),
    ...(settings.agent.systemPrompt !== undefined && { systemPrompt: settings.agent.systemPrompt }),
  });
  const later: Pick<Turns, "accept" | "cancel"> = {
    accept: (turn, listener) => turns.accept(turn, listener),
    cancel: (turnId) => turns.cancel(turnId),
  };
  const { delegationDepth: depth, delegationWidth: width } = settings.agent;
  const delegate = createDelegation({ store, turns: later, approvals, profiles, depth, width });
  const agent = createAgent({
    ...settings.agent,
    rules: settings.agent,
    llm,
    sandbox,
    approvals,
    record: createRecordCalls(store, audit),
    ...(profiles.list.length > 0 && { delegate }),
    prompt,
    contextBytes,
    modelBytes: async (model, signal) => {
      const tokens = await lanes.window(model, signal);
      return tokens === undefined ? undefined : windowBytes(tokens);
    },
  });

  const compaction = createCompaction({
    store,
    llm: withProfileModels(llm, profiles),
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
    ...more,
    helpCommand(() => list),
  ];
  const { maxConcurrentTurns, maxWaitingTurns, maxWaitingPerSession } = settings.middleware;
  const ends = createTurnEnds(store);
  const memory = createMemoryMark({ mark: () => memoryMarkOf(settings.middleware) });
  const slots = createSlots(maxConcurrentTurns, maxWaitingTurns);
  const budget = tokenBudget(budgets);
  const compact = pipeline([withSlots(slots), budget], compaction.onDemand);
  const run = pipeline(
    [
      traced,
      commands(list, "now"),
      memoryMark(memory),
      oneAtATime(store, ends),
      commands(list, "in_turn"),
      rateLimit(settings.middleware.turnsPerMinute, store),
      withSlots(slots),
      budget,
      contextWindow({ store, contextBytes, compaction }),
      withProfile(profiles),
      turnLimits(store),
    ],
    agent,
  );
  const maxTurns = maxConcurrentTurns + maxWaitingTurns;
  const made = createTurns({
    store,
    run,
    ends,
    commands: list,
    maxTurns,
    isFull: memory.isOver,
    maxWaitingPerSession,
    audit,
    ...(deliver && { deliver }),
    // SQLite belongs to one process: there is nobody to wait for.
    ...(settings.store.databaseUrl !== undefined && { leaseMs: settings.store.leaseMs }),
  });
  const turns: Turns = { ...made, accept: tracedAccept(made) };
  return {
    memory,
    ledger,
    models,
    breakers: lanes.breakers,
    sandbox,
    approvals,
    run,
    turns,
    slots,
    commands: list,
  };
}
