import type { Approvals } from "../agent/approvals.ts";
import type { Command } from "../agent/commands.ts";
import { createAdmission, createIsAdmitted } from "../channels/admission.ts";
import type { Channel, Inbox } from "../channels/channel.ts";
import { createDeliveries } from "../channels/deliver.ts";
import { createInbox } from "../channels/inbox.ts";
import { makeChannels, makeEntrances } from "../channels/index.ts";
import { createOutbox } from "../channels/outbox.ts";
import { createPairings } from "../channels/pairing.ts";
import { createPreviews } from "../channels/previews.ts";
import { sweepOldDeliveries } from "../channels/sweep.ts";
import type { Settings } from "../config/settings.ts";
import type { Lend } from "../sandbox/sandbox.ts";
import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import * as outboxRows from "../store/outbox.ts";
import { log } from "../telemetry/log.ts";
import type { Turns } from "../turns/turns.ts";

interface ChannelWiring {
  readonly settings: Settings;
  readonly store: Store;
  readonly audit: AuditTrail;
  readonly lend: Lend;
  readonly takesImages: () => boolean;
}

/** What the channels need and what is made after them, from what they deliver. */
interface Connecting {
  readonly turns: Turns;
  readonly approvals: Approvals;
  readonly commands: readonly Command[];
}

/** How long after a fault a channel begins anew. */
const againMs = 30_000;

/** Runs what a channel does by itself until the signal, again after a fault. */
async function keepRunning(channel: Channel, inbox: Inbox, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await channel.start?.(inbox, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error("a channel failed and begins anew in a moment", { channel: channel.name, error });
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, againMs);
      signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

/** Files that come in lie in the workspace, where the write roots hold it. */
const storeFileBy = (lend: Lend) => {
  const { write } = lend;
  return (
    write &&
    (async (path: string, bytes: Uint8Array, signal: AbortSignal) => {
      await write({ turnId: "", callId: "", principal: "" }, signal).bytes(path, bytes);
      return path;
    })
  );
};

/** Puts the channels together: what comes in by them, and what goes out. Nothing runs before `connect` and `start`. */
export async function createChannels({ settings, store, audit, lend, takesImages }: ChannelWiring) {
  let commands: readonly Command[] = [];
  const parts = { store, audit, commands: () => commands };
  const all = await makeChannels(settings.channels, parts);
  const byName = new Map(all.map((channel) => [channel.name, channel]));
  const previews = createPreviews(store);
  const outbox = createOutbox({
    store,
    channels: byName,
    giveUpMs: settings.channels.outboxGiveUpMs,
    alone: settings.store.databaseUrl === undefined,
    settle: previews.settle,
  });
  const deliveries = createDeliveries(byName, { committed: outbox.wake });
  const pairings = createPairings({ store, deliveries, audit });
  const stopped = new AbortController();
  const { signal } = stopped;
  let running: Promise<unknown> = Promise.resolve();

  return {
    deliveries,
    ids: all.map(({ name }) => name),
    /** Of the channels that are on, with who may write by them. */
    names: all.map(({ name, policy }) => `${name} (${policy})`),
    sweep: (until: AbortSignal) =>
      sweepOldDeliveries(store, { replayMs: settings.channels.replayMs }, { signal: until }),
    status: async () => ({
      channels: all.map(({ name, policy }) => ({ name, policy })),
      outbox: await store.read(outboxRows.depth),
    }),

    async connect({ turns, approvals, commands: list }: Connecting) {
      commands = list;
      const storeFile = storeFileBy(lend);
      const inbox = createInbox({
        store,
        turns,
        approvals,
        admit: createAdmission({ store, pairings, audit }),
        isAdmitted: createIsAdmitted(pairings),
        attachments: { takesImages, ...(storeFile && { storeFile }) },
        previews,
        replayMs: settings.channels.replayMs,
      });
      const entrances = await makeEntrances(settings.channels, { ...parts, accept: turns.accept });
      const desk = {
        routes: [...all.flatMap((channel) => channel.routes?.(inbox) ?? []), ...entrances],
        pairings,
        async retry(id: string) {
          const found = await store.write((tx) => outboxRows.retry(tx, id, Date.now()));
          if (found) outbox.wake();
          return found;
        },
      };
      return {
        desk,
        async start() {
          await outbox.start();
          running = Promise.all(all.map((channel) => keepRunning(channel, inbox, signal)));
        },
      };
    },

    /** Begins nothing more by itself: webhooks are refused by the turns that drain. */
    drain: () => stopped.abort(),

    /** Waits at most `ms` for what is being sent. */
    async stop(ms: number) {
      stopped.abort();
      const until = performance.now() + ms;
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, ms);
      await Promise.race([running, late.promise]);
      clearTimeout(timer);
      await outbox.stop(Math.max(0, until - performance.now()));
      await previews.close();
    },
  };
}
