import type { Store } from "../store/open.ts";
import { isWaiting } from "../store/outbox-lines.ts";
import * as rows from "../store/previews.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { endsTurn, type Listener, type SessionEvent } from "../turns/turns.ts";
import type { Channel, Preview } from "./channel.ts";

/** What people see of answers that are being made. */
export interface Previews {
  /** Shows the turns that this listener hears; undefined where the channel shows none. */
  begin(channel: Channel, recipient: string): Listener | undefined;
  /** Ends the preview of a turn, wherever it was made; the provider's id of the message that shows it, if any. */
  settle(turnId: string): Promise<string | undefined>;
  /** Ends all. */
  close(): Promise<void>;
}

/** A provider that hangs does not keep an answer from being sent. */
const usualSettleMs = 5000;
/** Turns that are shown at once; those beyond have no preview. */
const mostShown = 1000;

interface Shown {
  readonly preview: Preview;
  kept?: Promise<void>;
  /** Its message is taken away as soon as it is known: the answer is sent beside it. */
  late?: boolean;
  stopped?: Promise<void>;
}

function show(channel: Channel, recipient: string, isNext: () => Promise<boolean>): Shown | undefined {
  try {
    const preview = channel.preview?.(recipient, isNext);
    return preview && { preview };
  } catch (error) {
    log.warn("a preview could not be begun", { channel: channel.name, error });
    return undefined;
  }
}

/** What a channel does wrong here must not reach the turn. */
function tell(preview: Preview, event: SessionEvent) {
  try {
    preview.event(event);
  } catch (error) {
    log.warn("a preview could not be shown", { turn: event.turnId, error });
  }
}

const discard = (turnId: string, preview: Preview) =>
  preview
    .discard?.()
    .catch((error: unknown) => log.warn("a preview stays beside its answer", { turn: turnId, error }));

/** Previews over the store: which message shows an answer is kept, so that the end of the answer replaces it. */
export function createPreviews(
  store: Store,
  now: () => number = Date.now,
  settleMs = usualSettleMs,
): Previews {
  const shown = new Map<string, Shown>();

  /** Keeps the id of the message once there is one. */
  function keep(turnId: string, of: Shown): Promise<void> | undefined {
    const { messageId } = of.preview;
    if (messageId === undefined) return undefined;
    return (of.kept ??= store
      .write((tx) => rows.keep(tx, turnId, messageId, now()))
      .catch((error: unknown) =>
        log.warn("which message shows an answer could not be kept", { turn: turnId, error }),
      ));
  }

  async function stop(turnId: string, of: Shown): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, settleMs);
    let hasEnded = false;
    const ended = of.preview
      .stop()
      .catch((error: unknown) => log.warn("a preview could not be ended", { error }))
      .then(() => (hasEnded = true));
    await Promise.race([ended, late.promise]);
    clearTimeout(timer);
    of.late = !hasEnded && of.preview.messageId === undefined;
    if (of.late) void ended.then(() => discard(turnId, of.preview));
    else await keep(turnId, of);
  }

  const end = (turnId: string, of: Shown) =>
    (of.stopped ??= stop(turnId, of).finally(() => shown.delete(turnId)));

  return {
    begin(channel, recipient) {
      if (channel.preview === undefined) return undefined;
      let of: Shown | undefined;
      const line = { channel: channel.name, recipient };
      const isNext = async () => !(await store.read((tx) => isWaiting(tx, line)));
      return (event) => {
        const { turnId } = event;
        // Not before the turn was accepted: what is shown must come to an end.
        of ??= shown.size < mostShown ? show(channel, recipient, isNext) : undefined;
        if (of === undefined || of.stopped !== undefined) return;
        shown.set(turnId, of);
        tell(of.preview, event);
        void keep(turnId, of);
        if (endsTurn(event.event)) void end(turnId, of);
      };
    },

    async settle(turnId) {
      const of = shown.get(turnId);
      if (of !== undefined) await end(turnId, of);
      if (of?.late === true) return undefined;
      return of?.preview.messageId ?? store.read((tx) => rows.find(tx, turnId));
    },

    async close() {
      await Promise.all([...shown].map(([turnId, of]) => end(turnId, of)));
    },
  };
}
