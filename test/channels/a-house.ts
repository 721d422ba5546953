import { createApprovals } from "../../src/agent/approvals.ts";
import { sessionCommands } from "../../src/agent/session-commands.ts";
import { createTurnEnds } from "../../src/agent/turn-ends.ts";
import type { RunTurn } from "../../src/agent/turn.ts";
import { createAdmission, createIsAdmitted } from "../../src/channels/admission.ts";
import type { AttachmentParts } from "../../src/channels/attachments.ts";
import type { Channel, Inbound } from "../../src/channels/channel.ts";
import { createDeliveries } from "../../src/channels/deliver.ts";
import { createInbox } from "../../src/channels/inbox.ts";
import { createOutbox } from "../../src/channels/outbox.ts";
import { createPairings } from "../../src/channels/pairing.ts";
import { createPreviews } from "../../src/channels/previews.ts";
import { commands } from "../../src/middleware/commands.ts";
import { contextWindow } from "../../src/middleware/context-window.ts";
import { oneAtATime } from "../../src/middleware/one-at-a-time.ts";
import { pipeline } from "../../src/middleware/pipeline.ts";
import { createAuditTrail } from "../../src/store/audit-trail.ts";
import { list as listAudit } from "../../src/store/audit-list.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { createTurns } from "../../src/turns/create-turns.ts";
import { echo } from "../gateway/helpers/runs.ts";
import { startProvider } from "./a-provider.ts";

interface HouseOptions {
  readonly run?: RunTurn;
  readonly store?: Store;
  readonly provider?: ReturnType<typeof startProvider>;
  readonly channel?: Partial<Channel>;
  readonly attachments?: Partial<AttachmentParts>;
  readonly clock?: { now: number };
  /** True while no turn may be taken. */
  readonly isFull?: () => boolean;
  /** Several processes share the store. */
  readonly shared?: boolean;
}

/** A message of a friend, who is always admitted. */
export const says = (text: string, over: Partial<Inbound> = {}): Inbound => ({
  deliveryId: `d:${text}`,
  sender: { id: "friend", name: "Ann" },
  recipient: "ann",
  sessionId: "post:ann",
  principal: "post:friend",
  text,
  ...over,
});

/** All between a channel and the model, put together as `assemble` does it; `run` stands for the agent. */
export async function aHouse(options: HouseOptions = {}) {
  const store = options.store ?? (await memoryStore());
  const provider = options.provider ?? startProvider();
  const clock = options.clock ?? { now: 1_000_000 };
  const now = () => clock.now;
  const channel: Channel = { ...provider.channel, ...options.channel };
  const channels = new Map([[channel.name, channel]]);
  const audit = createAuditTrail({ now });
  const previews = createPreviews(store, now);
  const outbox = createOutbox({
    store,
    channels,
    giveUpMs: 86_400_000,
    alone: options.shared !== true,
    settle: previews.settle,
    now,
  });
  const deliveries = createDeliveries(channels, { committed: outbox.wake, now });
  const pairings = createPairings({ store, deliveries, audit, now });
  const approvals = createApprovals(store, { timeoutMs: 60_000, audit });
  const list = sessionCommands({
    store,
    models: { list: async () => [], check: async () => {} },
    approvals,
    stop: async () => false,
  });
  const ends = createTurnEnds(store);
  const run = pipeline(
    [
      commands(list, "now"),
      oneAtATime(store, ends),
      commands(list, "in_turn"),
      contextWindow({ store, contextBytes: 100_000 }),
    ],
    options.run ?? echo,
  );
  const turns = createTurns({
    store,
    run,
    ends,
    commands: list,
    maxTurns: 100,
    maxWaitingPerSession: 50,
    deliver: deliveries,
    ...(options.isFull && { isFull: options.isFull }),
    ...(options.shared === true && { leaseMs: 200 }),
  });
  const inbox = createInbox({
    store,
    turns,
    approvals,
    admit: createAdmission({ store, pairings, audit, now }),
    isAdmitted: createIsAdmitted(pairings),
    attachments: { takesImages: () => true, ...options.attachments },
    previews,
    replayMs: 86_400_000,
    now,
  });
  return {
    store,
    provider,
    channel,
    clock,
    outbox,
    deliveries,
    pairings,
    approvals,
    turns,
    inbox,
    take: (message: Inbound) => inbox.take(channel, message),
    /** Outcomes in the audit trail, oldest first. */
    async audited() {
      const { items } = await listAudit(store.read, { limit: 100 });
      return items.map(({ outcome }) => outcome).toReversed();
    },
    async [Symbol.asyncDispose]() {
      await turns.drain(0);
      // Long enough for what the provider took to be written down: else the next process sends it again.
      await outbox.stop(10_000);
      await previews.close();
      if (options.provider === undefined) await provider[Symbol.asyncDispose]();
      if (options.store === undefined) await store.close();
    },
  };
}
