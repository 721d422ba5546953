import * as v from "valibot";
import { busy } from "../errors.ts";
import * as deliveries from "../store/deliveries.ts";
import * as parts from "../store/held-parts.ts";
import type { Store } from "../store/open.ts";
import type { Tx } from "../store/tx.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import type { Taken } from "./channel.ts";
import { Message } from "./telegram-update.ts";
import { waitFor } from "./wait-for.ts";

/** Hands in an album; `released` takes its parts away in the commit of its turn, and is false when they are gone. */
export type TakeAlbum = (
  deliveryId: string,
  messages: readonly [Message, ...Message[]],
  released: (tx: Tx) => Promise<boolean>,
) => Promise<Taken["kind"]>;

export interface Albums {
  /** Resolves when a part is on disk, or was before. Throws `busy` when its chat has too much there. */
  hold(updateId: number, message: Message): Promise<void>;
  /** Hands in what is held of a chat, as something else is said there now. */
  settle(chat: number, take: TakeAlbum): Promise<void>;
  /** Hands in albums that are whole, also those that a process which is gone left, until the signal. */
  keep(take: TakeAlbum, signal: AbortSignal): Promise<void>;
}

const channel = "telegram";

/** An album is whole when nothing came for so long. */
const usualQuietMs = 1500;
/** Nobody here was told of a part that another process held. */
const lookAgainMs = 60_000;
const tryAgainMs = 5000;
const giveUpMs = 86_400_000;

/** Telegram makes albums of ten. */
const mostParts = 20;
const mostHeld = 100;
const mostAlbums = 100;

/**
 * Telegram tells an album as messages of their own, one for each picture, and which was the last it does not tell. They
 * become one message here: a part is stored as it comes, remembered as a delivery in the same commit, and only then
 * acknowledged. (By webhook Telegram tells the next of a chat when the last was acknowledged, so an album cannot be
 * awaited with its requests open.) When no part came for a moment the album is handed to the inbox as one message, and
 * the commit of its turn takes the parts away: proved, stored, acknowledged, run, as for any message, in whichever
 * process. A part that comes after that is a message of its own, and nothing is lost.
 */
export function createAlbums(of: {
  readonly store: Pick<Store, "read" | "write">;
  readonly quietMs?: number | undefined;
  readonly now?: (() => number) | undefined;
}): Albums {
  const { store, quietMs = usualQuietMs, now = Date.now } = of;
  let wake = () => {};

  async function handIn(album: parts.Whole, take: TakeAlbum): Promise<void> {
    const rows = await store.read((tx) => parts.read(tx, album, mostParts));
    const ids = rows.map(({ id }) => id);
    const [message, ...rest] = rows.map(({ part }) => v.parse(Message, JSON.parse(part)));
    if (message === undefined) return;
    const released = (tx: Tx) => parts.release(tx, channel, ids);
    const kind = await take(`album:${ids[0]}`, [message, ...rest], released);
    // Repeated: somebody took it in the same moment, and what came meanwhile is still to be taken.
    if (kind !== "repeated") await store.write(released);
  }

  /** The wait until it is to be looked at again. */
  async function look(album: parts.Held, take: TakeAlbum): Promise<number> {
    const age = now() - album.lastAt;
    // A clock that was set back must not hold it.
    if (age >= 0 && age < quietMs) return quietMs - age;
    try {
      await handIn(album, take);
      // Some of it may have come meanwhile.
      return quietMs;
    } catch (error) {
      log.warn("a Telegram album could not be taken yet", { chat: album.place, error });
    }
    if (now() - album.since > giveUpMs) {
      log.error("a Telegram album was given up", { chat: album.place });
      const rows = await store.read((tx) => parts.read(tx, album, mostParts));
      const ids = rows.map(({ id }) => id);
      await store.write((tx) => parts.release(tx, channel, ids));
    }
    return tryAgainMs;
  }

  async function lookAtAll(take: TakeAlbum): Promise<number> {
    const held = await store.read((tx) => parts.list(tx, channel, mostAlbums));
    const waits = [lookAgainMs];
    const lookAtOwn = async (own: readonly parts.Held[]) => {
      for (const album of own) waits.push(await look(album, take));
    };
    await Promise.all([...Map.groupBy(held, ({ place }) => place).values()].map(lookAtOwn));
    return Math.min(...waits);
  }

  return {
    async hold(updateId, message) {
      const id = String(updateId);
      const { chat, message_id: number, media_group_id: whole = id } = message;
      const row = { channel, place: String(chat.id), whole, id, number, part: JSON.stringify(message) };
      await store.write(async (tx) => {
        if (!(await deliveries.remember(tx, channel, id, now()))) return;
        if (!(await parts.hold(tx, row, now(), mostHeld))) throw busy();
      });
      wake();
    },

    async settle(chat, take) {
      const held = await store.read((tx) => parts.listOf(tx, channel, String(chat), mostAlbums));
      for (const album of held) {
        // It stays on disk: what is said after it is not lost for that.
        await handIn(album, take).catch((error) =>
          log.warn("a Telegram album could not be taken before what follows it", { chat, error }),
        );
      }
    },

    async keep(take, signal) {
      signal.addEventListener("abort", () => wake(), { once: true });
      while (!signal.aborted) {
        const woken = new AbortController();
        wake = () => woken.abort();
        const waitMs = await lookAtAll(take).catch((error) => {
          log.warn("Telegram albums could not be looked at", { error });
          return tryAgainMs;
        });
        await waitFor(waitMs, woken.signal);
      }
    },
  };
}
