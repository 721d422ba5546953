import { expect } from "bun:test";
import * as lines from "../../src/store/outbox-lines.ts";
import { listOutbox } from "../../src/store/outbox-list.ts";
import * as outbox from "../../src/store/outbox.ts";
import { sweepChannels, sweepLines } from "../../src/store/channel-sweep.ts";
import { forEachStore } from "./stores.ts";

const line = { channel: "post", recipient: "ann" };
const hold = { owner: "p1", now: 1000, leaseMs: 500 };
const said = (turnId: string, pieces: string[], more: Partial<outbox.NewPieces> = {}): outbox.NewPieces => ({
  ...line,
  turnId,
  kind: "answer",
  pieces,
  now: 1000,
  ...more,
});

forEachStore("enqueue keeps the order of the commits, and says nothing of a turn twice", async (store) => {
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a", "b"])));
  await store.write((tx) => outbox.enqueue(tx, said("t2", ["c"])));
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a", "b"])));

  const seen: string[] = [];
  let row = await store.write((tx) => lines.claim(tx, line, hold));
  while (row !== undefined) {
    const at = row;
    seen.push(at.piece);
    row = await store.write((tx) => lines.note(tx, at, { kind: "sent" }, { ...hold, goOn: true }));
  }

  expect(seen).toEqual(["a", "b", "c"]);
  expect(await store.read((tx) => lines.nextAt(tx, "post"))).toBeUndefined();
  expect(await store.read(outbox.depth)).toEqual({ waiting: 0, dead: 0 });
});

forEachStore("claim gives a recipient to one process until its lease ends", async (store) => {
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a"])));
  const first = await store.write((tx) => lines.claim(tx, line, hold));

  const other = { ...hold, owner: "p2" };
  expect(await store.write((tx) => lines.claim(tx, line, other))).toBeUndefined();
  expect(await store.read((tx) => lines.due(tx, "post", 1400, 10))).toEqual([]);
  expect(await store.read((tx) => lines.nextAt(tx, "post"))).toBe(1500);
  const later = await store.write((tx) => lines.claim(tx, line, { ...other, now: 1500 }));

  expect(first).toMatchObject({ state: "pending", attempts: 1 });
  expect(later).toMatchObject({ id: first?.id ?? "", state: "sending", attempts: 2 });
});

forEachStore("note believes a process that lost its lease that it sent, and nothing else", async (store) => {
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a", "b"])));
  const first = await store.write((tx) => lines.claim(tx, line, hold));
  const later = { ...hold, owner: "p2", now: 2000 };
  await store.write((tx) => lines.claim(tx, line, later));
  if (first === undefined) throw new Error("Nothing was claimed.");

  const why = { kind: "dead", why: "gone" } as const;
  await store.write((tx) => lines.note(tx, first, why, { ...hold, goOn: true }));
  expect((await store.read((tx) => outbox.ofTurn(tx, "t1"))).map(({ state }) => state)).toEqual([
    "sending",
    "pending",
  ]);
  await store.write((tx) => lines.note(tx, first, { kind: "sent" }, { ...hold, goOn: true }));

  expect((await store.read((tx) => outbox.ofTurn(tx, "t1"))).map(({ state }) => state)).toEqual([
    "sent",
    "pending",
  ]);
});

forEachStore(
  "note lets what is given up not block what stands behind it, and retry puts it first again",
  async (store) => {
    await store.write((tx) => outbox.enqueue(tx, said("t1", ["a", "b"])));
    const first = await store.write((tx) => lines.claim(tx, line, hold));
    if (first === undefined) throw new Error("Nothing was claimed.");
    const dead = { kind: "dead", why: "The provider knows no such chat." } as const;

    const next = await store.write((tx) => lines.note(tx, first, dead, { ...hold, goOn: true }));
    expect(next).toMatchObject({ piece: "b" });
    if (next === undefined) throw new Error("Nothing followed.");
    const wait = { kind: "later", at: 5000, why: "busy" } as const;
    await store.write((tx) => lines.note(tx, next, wait, { ...hold, goOn: true }));
    const given = await store.read((tx) => listOutbox(tx, { state: "dead", limit: 10 }));
    expect(given.items).toMatchObject([{ id: first.id, lastError: dead.why }]);

    expect(await store.write((tx) => outbox.retry(tx, first.id, 4000))).toBe(true);
    expect(await store.write((tx) => outbox.retry(tx, first.id, 4000))).toBe(false);
    expect(await store.read((tx) => lines.due(tx, "post", 4999, 10))).toEqual([]);
    const again = await store.write((tx) => lines.claim(tx, line, { ...hold, now: 5000 }));
    expect(again).toMatchObject({ id: first.id, since: 4000, attempts: 2 });
  },
);

forEachStore(
  "putOff lets a recipient wait whom nobody holds, and endWaits ends what lasts too long",
  async (store) => {
    const now = 1_800_000_000_000;
    const dayMs = 86_400_000;
    const due = (at: number) => store.read((tx) => lines.due(tx, "post", at, 10));
    await store.write((tx) => outbox.enqueue(tx, said("t1", ["a"], { now })));
    await store.write((tx) => lines.putOff(tx, line, { now, until: now + dayMs }));
    expect(await due(now + dayMs - 1)).toEqual([]);
    expect(await due(now + dayMs)).toEqual([line]);

    await store.write((tx) => lines.endWaits(tx, { now, latest: now + dayMs }));
    expect(await due(now)).toEqual([]);
    await store.write((tx) => lines.endWaits(tx, { now, latest: now + dayMs - 1 }));
    expect(await due(now)).toEqual([line]);

    await store.write((tx) => lines.claim(tx, line, { ...hold, now }));
    await store.write((tx) => lines.putOff(tx, line, { now, until: now + dayMs }));
    expect(await store.read((tx) => lines.nextAt(tx, "post"))).toBe(now + hold.leaseMs);
  },
);

forEachStore("enqueue keeps what no channel can send as given up, with the reason", async (store) => {
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a"], { dead: "There is no channel post." })));

  expect(await store.read((tx) => lines.due(tx, "post", 9999, 10))).toEqual([]);
  expect(await store.read(outbox.depth)).toEqual({ waiting: 0, dead: 1 });
});

forEachStore(
  "sweepChannels forgets what was sent before what was given up, and never what waits",
  async (store) => {
    await store.write((tx) => outbox.enqueue(tx, said("t1", ["a", "b", "c"])));
    const first = await store.write((tx) => lines.claim(tx, line, hold));
    if (first === undefined) throw new Error("Nothing was claimed.");
    const next = await store.write((tx) => lines.note(tx, first, { kind: "sent" }, { ...hold, goOn: true }));
    if (next === undefined) throw new Error("Nothing followed.");
    const dead = { kind: "dead", why: "no" } as const;
    await store.write((tx) => lines.note(tx, next, dead, { ...hold, goOn: false }));
    const before = { deliveries: 0, sent: 9000, dead: 500, codes: 0 };

    expect(await store.write((tx) => sweepChannels(tx, before, 100))).toBe(true);
    const left = await store.read((tx) => outbox.ofTurn(tx, "t1"));
    expect(left.map(({ state }) => state)).toEqual(["dead", "pending"]);
  },
);

forEachStore(
  "sweepLines forgets a recipient for whom nothing is kept any more, and no other",
  async (store) => {
    const to = (recipient: string, more: Partial<outbox.NewPieces> = {}) =>
      store.write((tx) => outbox.enqueue(tx, said(recipient, ["a"], { recipient, ...more })));
    await to("waits");
    await to("given-up", { dead: "no" });
    for (const recipient of ["gone-1", "gone-2", "sent"]) {
      await to(recipient);
      const row = await store.write((tx) => lines.claim(tx, { ...line, recipient }, hold));
      if (row === undefined) throw new Error("Nothing was claimed.");
      await store.write((tx) => lines.note(tx, row, { kind: "sent" }, { ...hold, goOn: true }));
      if (recipient.startsWith("gone"))
        await store.write((tx) => tx`DELETE FROM outbox WHERE id = ${row.id}`);
    }

    expect(await store.write((tx) => sweepLines(tx, 1))).toBe(false);
    expect(await store.write((tx) => sweepLines(tx, 10))).toBe(true);

    const left = await store.read((tx) => tx`SELECT recipient FROM outbox_lines ORDER BY recipient`);
    expect(left.map(({ recipient }) => recipient)).toEqual(["given-up", "sent", "waits"]);
  },
);

forEachStore("noteReceipt keeps what the provider said later", async (store) => {
  await store.write((tx) => outbox.enqueue(tx, said("t1", ["a"])));
  const row = await store.write((tx) => lines.claim(tx, line, hold));
  if (row === undefined) throw new Error("Nothing was claimed.");
  const sent = { kind: "sent", providerId: "SM1" } as const;
  await store.write((tx) => lines.note(tx, row, sent, { ...hold, goOn: false }));

  const receipt = { channel: "post", providerId: "SM1", receipt: "delivered" };
  expect(await store.write((tx) => outbox.noteReceipt(tx, receipt))).toBe(true);
  expect(await store.write((tx) => outbox.noteReceipt(tx, { ...receipt, channel: "sms" }))).toBe(false);
  // What was said stands in its session; the outbox keeps it no longer than it must.
  expect(await store.read((tx) => outbox.ofTurn(tx, "t1"))).toMatchObject([
    { receipt: "delivered", piece: "" },
  ]);
});
