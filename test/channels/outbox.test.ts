import { afterEach, expect, test } from "bun:test";
import { createDeliveries } from "../../src/channels/deliver.ts";
import { createOutbox } from "../../src/channels/outbox.ts";
import type { Channel } from "../../src/channels/channel.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import * as rows from "../../src/store/outbox.ts";
import { readCounters } from "../../src/telemetry/metrics.ts";
import { type Answer, type Arrived, startProvider } from "./a-provider.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const giveUpMs = 100_000;

/** A provider, and an outbox that sends to it; `now` is moved by the test. */
async function made(
  answer?: (arrived: Arrived, count: number) => Answer,
  over: { store?: Store; timeoutMs?: number } = {},
) {
  const provider = startProvider(answer);
  const store = over.store ?? (await memoryStore());
  const clock = { now: 1_000_000 };
  const now = () => clock.now;
  const channels = new Map<string, Channel>([["post", provider.channel]]);
  const timeoutMs = over.timeoutMs ?? 5000;
  const outbox = createOutbox({ store, channels, giveUpMs, alone: true, now, timeoutMs });
  const deliveries = createDeliveries(channels, { committed: outbox.wake, now });
  const say = async (turnId: string, text: string, recipient = "ann", channel = "post") => {
    await store.write((tx) =>
      deliveries.write(tx, { delivery: { channel, recipient }, turnId, kind: "answer", text }),
    );
    deliveries.committed();
  };
  stops.push(async () => {
    await outbox.stop(1000);
    await provider[Symbol.asyncDispose]();
  });
  /** Resolves when a row of the turn satisfies `is`; looks at each commit. */
  const until = async (turnId: string, is: (all: rows.OutboxRow[]) => boolean) => {
    for (;;) {
      const all = await store.read((tx) => rows.ofTurn(tx, turnId));
      if (is(all)) return all;
      await Bun.sleep(2);
    }
  };
  return { provider, store, clock, outbox, say, until };
}

test("createOutbox sends what waits in order, each piece once, whoever said it", async () => {
  const { provider, outbox, say } = await made();
  await say("t1", "one|two|three");
  await say("t2", "four");
  await say("t1", "one|two|three");

  await outbox.start();
  await provider.took(4);
  await say("t3", "five");
  await provider.took(5);

  expect(provider.texts()).toEqual(["one", "two", "three", "four", "five"]);
  expect(new Set(provider.arrived.map(({ key }) => key)).size).toBe(5);
});

test("createOutbox obeys Retry-After for the whole recipient, and meanwhile writes to the others", async () => {
  const { provider, clock, outbox, say, until } = await made(({ recipient }, count) =>
    recipient === "ann" && count === 1 ? { status: 429, retryAfterMs: 60_000 } : "ok",
  );
  await outbox.start();
  await say("t1", "one|two");
  await until("t1", ([first]) => first?.state === "pending" && first.attempts === 1);
  await say("t2", "three");
  await say("t3", "for bob", "bob");
  await provider.took(1);
  clock.now += 59_000;
  outbox.wake();
  await say("t4", "again for bob", "bob");
  await provider.took(2);
  expect(provider.texts()).toEqual(["for bob", "again for bob"]);

  clock.now += 1000;
  outbox.wake();
  await provider.took(5);

  expect(provider.texts().slice(2)).toEqual(["one", "two", "three"]);
  const keys = provider.tried.filter(({ piece }) => piece.text === "one").map(({ key }) => key);
  expect(keys).toEqual([keys[0] ?? "", keys[0] ?? ""]);
});

test("createOutbox gives up at once what can never be sent, and what stands behind it is sent", async () => {
  const { provider, outbox, say, store } = await made(({ piece }) =>
    piece.text === "bad" ? { status: 400, final: true } : "ok",
  );
  await outbox.start();
  await say("t1", "bad|good");
  await provider.took(1);

  expect(provider.texts()).toEqual(["good"]);
  expect((await store.read((tx) => rows.ofTurn(tx, "t1")))[0]).toMatchObject({
    state: "dead",
    lastError: "The provider said 400.",
  });
});

test("createOutbox tries again with growing waits, and gives up after its time with the reason", async () => {
  const { provider, clock, outbox, say, until } = await made(() => ({ status: 500 }));
  await outbox.start();
  await say("t1", "one");
  for (let tries = 1; tries < 4; tries++) {
    await until("t1", ([row]) => row?.state === "pending" && row.attempts === tries);
    clock.now += 1000 * 2 ** (tries - 1);
    outbox.wake();
  }
  await until("t1", ([row]) => row?.state === "pending" && row.attempts === 4);
  clock.now += giveUpMs;
  outbox.wake();
  const [row] = await until("t1", ([first]) => first?.state === "dead");

  expect(row?.lastError).toBe("Given up after 5 tries: The provider said 500.");
  expect(provider.tried).toHaveLength(5);
});

test("createOutbox ends a try at its time, also where the channel does not look at the signal", async () => {
  const { outbox, say, until } = await made(() => "hang", { timeoutMs: 30 });
  await outbox.start();
  await say("t1", "one");

  const [row] = await until("t1", ([first]) => first?.state === "pending" && first.attempts === 1);

  expect(row?.lastError).toMatch(/longer than 30 ms|timed out/);
});

test("createOutbox sends again what a process was sending when it ended, by the same key, and counts that", async () => {
  const store = await memoryStore();
  const first = await made(() => "hang", { store });
  await first.outbox.start();
  await first.say("t1", "one|two");
  await first.until("t1", ([row]) => row?.state === "sending");
  await first.outbox.stop(0);
  const before = readCounters().totalPossibleDoubles;

  const second = await made(undefined, { store });
  await second.outbox.start();
  await second.provider.took(2);

  expect(second.provider.texts()).toEqual(["one", "two"]);
  expect(second.provider.arrived[0]?.key).toBe(
    (await store.read((tx) => rows.ofTurn(tx, "t1")))[0]?.id ?? "",
  );
  expect(readCounters().totalPossibleDoubles).toBe(before + 1);
});

test("createOutbox writes to many recipients at once, each in order", async () => {
  let atOnce = 0;
  let most = 0;
  const { provider, outbox, say } = await made();
  const { send } = provider.channel;
  Object.assign(provider.channel, {
    async send(...args: Parameters<Channel["send"]>) {
      most = Math.max(most, ++atOnce);
      await Bun.sleep(1);
      return send(...args).finally(() => atOnce--);
    },
  });
  for (let n = 0; n < 40; n++) await say(`t${n}`, `${n}a|${n}b|${n}c`, `r${n}`);

  await outbox.start();
  await provider.took(120);

  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(16);
  for (let n = 0; n < 40; n++)
    expect(
      provider.arrived.filter(({ recipient }) => recipient === `r${n}`).map(({ piece }) => piece.text),
    ).toEqual([`${n}a`, `${n}b`, `${n}c`]);
});

test("createDeliveries says so where a channel finds nothing in an answer that could be seen", async () => {
  const { provider, outbox, say } = await made();
  Object.assign(provider.channel, { pieces: () => [] } satisfies Partial<Channel>);
  await outbox.start();
  await say("t1", "\u200b");
  await provider.took(1);

  expect(provider.texts()).toEqual(["(There was no text in the answer.)"]);
});

test("createDeliveries keeps what is for a channel that is off, visibly", async () => {
  const { outbox, say, store } = await made();
  await outbox.start();
  await say("t1", "one", "ann", "pigeon");

  expect(await store.read((tx) => rows.ofTurn(tx, "t1"))).toMatchObject([
    { state: "dead", lastError: expect.stringContaining("There is no channel pigeon") },
  ]);
});
