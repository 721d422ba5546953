import { expect, test } from "bun:test";
import type { Channel, Preview } from "../../src/channels/channel.ts";
import { createPreviews } from "../../src/channels/previews.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as rows from "../../src/store/previews.ts";
import type { SessionEvent } from "../../src/turns/turns.ts";
import { until } from "../helpers/until.ts";

const said: SessionEvent = {
  sessionId: "s",
  turnId: "t",
  cursor: "1",
  event: { type: "text", text: "Half of the ans" },
};

/** Previews whose provider answers when `taken` resolves with the id of the message, or with none. */
async function shown(settleMs: number) {
  const taken = Promise.withResolvers<string | undefined>();
  const store = await memoryStore();
  let messageId: string | undefined;
  let discarded = 0;
  const preview: Preview = {
    event: () => {},
    get messageId() {
      return messageId;
    },
    stop: async () => {
      messageId = await taken.promise;
    },
    discard: async () => void discarded++,
  };
  const channel: Channel = {
    name: "post",
    policy: "open",
    allowedSenders: [],
    pieces: () => [],
    send: async () => ({}),
    preview: () => preview,
  };
  const previews = createPreviews(store, Date.now, settleMs);
  previews.begin(channel, "ann")?.(said);
  return { previews, taken, discarded: () => discarded, kept: () => store.read((tx) => rows.find(tx, "t")) };
}

test("createPreviews takes a message away that was taken too late to be replaced by its answer", async () => {
  const it = await shown(1);
  expect(await it.previews.settle("t")).toBeUndefined();
  expect(it.discarded()).toBe(0);

  it.taken.resolve("77");
  await until("the message was taken away", () => it.discarded() === 1);

  // The answer stands beside it: nothing may take its place in what is gone.
  expect(await it.previews.settle("t")).toBeUndefined();
  expect(await it.kept()).toBeUndefined();
});

test("createPreviews waits for a message that is on its way, and leaves it for the answer", async () => {
  const it = await shown(60_000);
  const settled = it.previews.settle("t");
  it.taken.resolve("77");

  expect(await settled).toBe("77");
  expect(await it.kept()).toBe("77");
  expect(it.discarded()).toBe(0);
});
