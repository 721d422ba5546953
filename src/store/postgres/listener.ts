import type { SQL } from "bun";
import { storeLog as log } from "../../telemetry/log.ts";
import { channelOf } from "./dialect.ts";
import { closeNow } from "./session.ts";

export interface Listener {
  /** Calls back with each payload, and with an empty one when signals may have been missed. */
  listen(topic: string, onSignal: (payload: string) => void): () => void;
  close(): void;
}

export interface ListenerOptions {
  /** Makes a client for this listener alone. */
  open(): SQL;
  /** Sends an empty signal to a channel, on another connection. */
  notify(channel: string): Promise<unknown>;
  /** How often "look again" is told while no signals come in. */
  readonly pollMs?: number;
  /** How often it is proven that they do. */
  readonly probeMs?: number;
}

const retryMs = 1000;

/**
 * The ear of this process: one connection that listens. It sends itself a signal now and then, and as long as it does
 * not hear them (a pooler forbids it, the connection hangs) everybody is told to look again every `pollMs`.
 */
export function createListener(options: ListenerOptions): Listener {
  const { open, notify, pollMs = 500, probeMs = 10_000 } = options;
  const topics = new Map<string, Set<(payload: string) => void>>();
  const probe = `openclaw_probe_${Bun.randomUUIDv7()}`;
  const graceMs = Math.max(2 * pollMs, probeMs / 5);
  let client: SQL | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  let probedAt = Number.NEGATIVE_INFINITY;
  let openedAt = 0;

  const tell = (topic: string, payload: string) => {
    for (const onSignal of topics.get(topic) ?? [])
      try {
        onSignal(payload);
      } catch (error) {
        log.error("a signal of another process could not be handled", { topic, error });
      }
  };
  const tellAll = () => {
    for (const topic of topics.keys()) tell(topic, "");
  };
  const sendProbe = () => {
    probedAt = performance.now();
    // Heard or not is what counts.
    notify(probe).catch(() => {});
  };

  /** Tries for as long as this client is in use; a connection that is lost later is the driver's business. */
  async function subscribe(used: SQL, channel: string, hear: (payload: string) => void, begun: () => void) {
    while (client === used) {
      try {
        await used.listen(channel, hear, begun);
        return;
      } catch (error) {
        log.debug("LISTEN failed", { channel, error });
      }
      await Bun.sleep(retryMs);
    }
  }

  const subscribeTopic = (used: SQL, topic: string) =>
    void subscribe(
      used,
      channelOf(topic),
      (payload) => tell(topic, payload),
      // Also after a connection was lost: something may have been sent meanwhile.
      () => tell(topic, ""),
    );

  function start() {
    const before = client;
    client = open();
    openedAt = performance.now();
    const hear = () => {
      heardAt = performance.now();
    };
    void subscribe(client, probe, hear, sendProbe);
    for (const topic of topics.keys()) subscribeTopic(client, topic);
    if (before !== undefined) closeNow(before);
  }

  function tick() {
    const now = performance.now();
    if (now - probedAt >= probeMs) sendProbe();
    if (now - heardAt <= probeMs + graceMs) return;
    tellAll();
    // A connection that hangs looks like one on which nothing happens.
    if (now - openedAt > 6 * probeMs) start();
  }

  return {
    listen(topic, onSignal) {
      const known = topics.get(topic);
      const listeners = known ?? new Set();
      listeners.add(onSignal);
      topics.set(topic, listeners);
      if (client === undefined) {
        start();
        timer = setInterval(tick, pollMs);
        timer.unref();
      } else if (known === undefined) subscribeTopic(client, topic);
      return () => void listeners.delete(onSignal);
    },
    close() {
      clearInterval(timer);
      topics.clear();
      if (client !== undefined) closeNow(client);
      client = undefined;
    },
  };
}
