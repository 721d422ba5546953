import { expect, test } from "bun:test";
import type { RunTurn, TurnEvent } from "../../src/agent/turn.ts";
import { plainRequest } from "../../src/agent/turn.ts";
import type { Channel, Preview } from "../../src/channels/channel.ts";
import { AppError } from "../../src/errors.ts";
import { memoryStore } from "../../src/store/open.ts";
import * as outbox from "../../src/store/outbox.ts";
import * as previews from "../../src/store/previews.ts";
import { done, echo, said, text } from "../gateway/helpers/runs.ts";
import { until } from "../helpers/until.ts";
import { aHouse, says } from "./a-house.ts";
import { startProvider } from "./a-provider.ts";

const approval: TurnEvent = {
  type: "approval",
  approvalId: "apr_1",
  callId: "c1",
  toolName: "write_file",
  argumentsPreview: '{"path":"a"}',
  reason: "autonomy",
};

test("a turn that fails tells so in one line, and what is internal stays inside", async () => {
  await using house = await aHouse({
    run: (turn) => {
      throw turn.text === "down" ? new AppError("provider_error", "The model is down.") : new Error("secret");
    },
  });
  await house.outbox.start();

  await house.take(says("down"));
  await house.take(says("bug"));
  await house.provider.took(2);

  expect(house.provider.texts()).toEqual([
    "Error: The model is down.",
    "Error: Something failed inside the server; its log has the details.",
  ]);
});

test("a turn whose maker tells of failures itself delivers its answer alone", async () => {
  await using house = await aHouse({
    run: (turn) => {
      if (turn.text === "down") throw new AppError("provider_error", "The model is down.");
      return echo(turn);
    },
  });
  await house.outbox.start();
  const job = (words: string) => ({
    sessionId: "job:x",
    principal: { name: "operator", scope: "operator" } as const,
    channel: "job",
    text: words,
    request: plainRequest,
    delivery: { channel: "post", recipient: "ann", answersOnly: true },
  });

  await house.turns.accept(job("down"));
  await house.turns.accept(job("fine"));
  await house.provider.took(1);

  expect(house.provider.texts()).toEqual(["You said: fine"]);
});

test("a slash command and an empty answer are answered too", async () => {
  await using house = await aHouse({
    run: async function* () {
      yield said("");
      yield done();
    },
  });
  await house.outbox.start();

  await house.take(says("/approve apr_none yes"));
  await house.provider.took(1);
  await house.take(says("hm"));
  await house.provider.took(2);

  expect(house.provider.texts()).toEqual([
    "No pending approval found for id: apr_none",
    "(There was no text in the answer.)",
  ]);
});

test("a question is delivered once, also when a turn asks again after a restart, and the answer follows", async () => {
  const store = await memoryStore();
  await using provider = startProvider();
  const asked = Promise.withResolvers<void>();
  const waits: RunTurn = async function* (turn) {
    yield approval;
    asked.resolve();
    await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
    throw turn.signal.reason;
  };
  const taken = await (async () => {
    await using first = await aHouse({ store, provider, run: waits });
    await first.outbox.start();
    const accepted = await first.take(says("write it"));
    await asked.promise;
    await provider.took(1);
    return accepted;
  })();

  await using second = await aHouse({
    store,
    provider,
    run: async function* (turn) {
      yield approval;
      yield* echo(turn);
    },
  });
  await second.outbox.start();
  await second.turns.recover();
  await provider.took(2);

  expect(provider.arrived).toMatchObject([
    {
      piece: {
        kind: "approval",
        approvalId: "apr_1",
        text: [
          "Tool approval required.",
          "- id: apr_1",
          "- tool: write_file",
          '- args: {"path":"a"}',
          "Reply with /approve apr_1 yes|no",
        ].join("\n"),
      },
    },
    { piece: { kind: "text", text: "You said: write it" } },
  ]);
  expect(await second.take(says("write it"))).toEqual({ kind: "repeated" });
  const turnId = taken.kind === "accepted" ? taken.turnId : "";
  expect(await store.read((tx) => outbox.ofTurn(tx, turnId))).toHaveLength(2);
});

test("an answer for a channel that is off is kept in pieces that each channel can send", async () => {
  await using house = await aHouse();
  const off = { kind: "pairing", channel: "off", recipient: "ann" };
  const words = "word ".repeat(1000).trim();
  await house.store.write(async (tx) => {
    await house.deliveries.post(tx, { ...off, id: "long", text: words });
    await house.deliveries.post(tx, { ...off, id: "empty", text: " " });
  });

  const kept = async (id: string) => {
    const rows = await house.store.read((tx) => outbox.ofTurn(tx, id));
    expect(rows.every(({ state }) => state === "dead")).toBe(true);
    return rows.map(({ piece }): string => JSON.parse(piece).text);
  };
  const pieces = await kept("long");
  expect(pieces).toHaveLength(4);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1600);
  expect(pieces.join(" ")).toBe(words);
  expect(await kept("empty")).toEqual(["(There was no text in the answer.)"]);
});

test("an answer is a row in the commit that ends its turn: a process that ends then loses nothing", async () => {
  const store = await memoryStore();
  await using provider = startProvider();
  {
    // Its outbox never starts: it ends before anything is sent.
    await using first = await aHouse({ store, provider });
    const { promise, resolve } = Promise.withResolvers<void>();
    await first.take(says("hello"));
    await first.turns.follow("post:ann", "0", ({ event }) => event.type === "done" && resolve());
    await promise;
  }
  expect(await store.read(outbox.depth)).toEqual({ waiting: 1, dead: 0 });

  await using second = await aHouse({ store, provider });
  await second.outbox.start();
  await provider.took(1);

  expect(provider.texts()).toEqual(["You said: hello"]);
});

/** A preview that shows itself as message `shown`, and keeps what it was told. */
function aPreview() {
  const told: string[] = [];
  let messageId: string | undefined;
  const preview: Preview = {
    event({ event }) {
      told.push(event.type);
      if (event.type === "text") messageId = "shown";
    },
    get messageId() {
      return messageId;
    },
    async stop() {
      told.push("stop");
    },
  };
  return { told, preview: () => preview } satisfies { told: string[]; preview: Channel["preview"] };
}

test("the first piece of an answer replaces its preview, which is ended before", async () => {
  const { told, preview } = aPreview();
  await using house = await aHouse({ channel: { preview } });
  await house.outbox.start();

  await house.take(says("one|two"));
  await house.provider.took(2);

  expect(house.provider.arrived).toMatchObject([
    { piece: { text: "You said: one" }, replaces: "shown" },
    { piece: { text: "two" } },
  ]);
  expect(house.provider.arrived[1]?.replaces).toBeUndefined();
  expect(told).toEqual(["started", "status", "text", "text", "done", "stop"]);
});

test("a preview is begun when all that was said to the same person before has arrived", async () => {
  const { preview } = aPreview();
  const heard = Promise.withResolvers<() => Promise<boolean>>();
  await using house = await aHouse({
    channel: {
      preview(_, isNext) {
        heard.resolve(isNext);
        return preview();
      },
    },
  });
  await house.store.write(async (tx) => {
    const earlier = { kind: "pairing", channel: "post", id: "earlier", text: "earlier" };
    await house.deliveries.post(tx, { ...earlier, recipient: "ann" });
  });
  await house.take(says("hello"));

  const isNext = await heard.promise;
  expect(await isNext()).toBe(false);
  await house.outbox.start();
  await house.provider.took(2);
  await until("nothing waits any more", isNext);

  expect(house.provider.texts()).toEqual(["earlier", "You said: hello"]);
});

test("an answer replaces its preview also when a question was delivered in between", async () => {
  const store = await memoryStore();
  await using provider = startProvider();
  const { preview } = aPreview();
  {
    await using first = await aHouse({
      store,
      provider,
      channel: { preview },
      run: async function* (turn) {
        yield text("I shall write it.");
        yield approval;
        await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
        throw turn.signal.reason;
      },
    });
    await first.outbox.start();
    await first.take(says("write it"));
    await provider.took(1);
  }

  // The end of the first process waited until it was written down that the question arrived.
  await using second = await aHouse({ store, provider });
  await second.outbox.start();
  await second.turns.recover();
  await provider.took(2);

  expect(provider.arrived).toMatchObject([
    { piece: { kind: "approval" } },
    { piece: { text: "You said: write it" }, replaces: "shown" },
  ]);
  expect(provider.arrived[0]?.replaces).toBeUndefined();
});

test("an answer replaces its preview also in the next process", async () => {
  const store = await memoryStore();
  await using provider = startProvider();
  const { preview } = aPreview();
  const spoke = Promise.withResolvers<void>();
  const taken = await (async () => {
    await using first = await aHouse({
      store,
      provider,
      channel: { preview },
      run: async function* (turn) {
        yield text("One");
        spoke.resolve();
        await new Promise((resolve) => turn.signal.addEventListener("abort", resolve));
        throw turn.signal.reason;
      },
    });
    const accepted = await first.take(says("hello"));
    await spoke.promise;
    return accepted;
  })();
  const turnId = taken.kind === "accepted" ? taken.turnId : "";
  expect(await store.read((tx) => previews.find(tx, turnId))).toBe("shown");

  await using second = await aHouse({ store, provider });
  await second.outbox.start();
  await second.turns.recover();
  await provider.took(1);

  expect(provider.arrived).toMatchObject([{ piece: { text: "You said: hello" }, replaces: "shown" }]);
});
