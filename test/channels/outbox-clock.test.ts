import { expect, test } from "bun:test";
import { createDeliveries } from "../../src/channels/deliver.ts";
import { createOutbox } from "../../src/channels/outbox.ts";
import { memoryStore, type Store } from "../../src/store/open.ts";
import { nextAt } from "../../src/store/outbox-lines.ts";
import { ofTurn } from "../../src/store/outbox.ts";
import { until } from "../helpers/until.ts";
import { type Answer, startProvider } from "./a-provider.ts";

const hourMs = 3_600_000;

/** An outbox whose clock is moved by the test, before a provider that is down at first. */
async function down(store: Store, at: number, refusal: Answer = { status: 500 }) {
  const says = { answer: refusal };
  const provider = startProvider(() => says.answer);
  const clock = { now: at };
  const now = () => clock.now;
  const channels = new Map([["post", provider.channel]]);
  const outbox = createOutbox({ store, channels, giveUpMs: 24 * hourMs, alone: true, now });
  const deliveries = createDeliveries(channels, { committed: outbox.wake, now });
  await outbox.start();
  return {
    clock,
    outbox,
    provider,
    up: () => (says.answer = "ok"),
    async say(turnId: string) {
      const delivery = { channel: "post", recipient: "ann" };
      await store.write((tx) => deliveries.write(tx, { delivery, turnId, kind: "answer", text: turnId }));
      deliveries.committed();
    },
    failed: (turnId: string) =>
      until(`${turnId} waits to be tried again`, async () => {
        const [row] = await store.read((tx) => ofTurn(tx, turnId));
        return row?.state === "pending" && row.attempts > 0;
      }),
    async [Symbol.asyncDispose]() {
      await outbox.stop(1000);
      await provider[Symbol.asyncDispose]();
    },
  };
}

test("createOutbox sends what waited by a clock that was ahead, once that is set right", async () => {
  await using it = await down(await memoryStore(), 100 * hourMs);
  await it.say("first");
  await it.failed("first");
  it.up();

  it.clock.now -= 10 * hourMs;
  await it.say("second");
  await it.provider.took(2);

  expect(it.provider.texts()).toEqual(["first", "second"]);
});

test("createOutbox begins with what an earlier process would have sent in more than a day", async () => {
  const store = await memoryStore();
  {
    await using ahead = await down(store, 1000 * hourMs);
    await ahead.say("first");
    await ahead.failed("first");
  }
  await using it = await down(store, 900 * hourMs);
  it.up();
  it.outbox.wake();
  await it.provider.took(1);

  expect(it.provider.texts()).toEqual(["first"]);
});

test("createOutbox obeys Retry-After also over a restart", async () => {
  const store = await memoryStore();
  const at = 1000 * hourMs;
  {
    await using first = await down(store, at, { status: 429, retryAfterMs: 20 * hourMs });
    await first.say("first");
    await first.failed("first");
  }
  await using it = await down(store, at);
  it.up();
  await it.say("second");
  expect(await store.read((tx) => nextAt(tx, "post"))).toBe(at + 20 * hourMs);

  it.clock.now += 20 * hourMs;
  it.outbox.wake();
  await it.provider.took(2);
  expect(it.provider.texts()).toEqual(["first", "second"]);
  expect(it.provider.tried).toHaveLength(2);
});
