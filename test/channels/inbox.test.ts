import { expect, test } from "bun:test";
import type { Attachment } from "../../src/channels/channel.ts";
import { AppError } from "../../src/errors.ts";
import * as sessions from "../../src/store/sessions.ts";
import * as rows from "../../src/store/turns.ts";
import { aHouse, says } from "./a-house.ts";

const stranger = {
  sender: { id: "stranger", name: "Eve" },
  recipient: "eve",
  sessionId: "post:eve",
  principal: "post:stranger",
};

/** The six digits that the newest message to a stranger shows. */
const codeIn = (text = "") => /\b\d{6}\b/.exec(text)?.[0] ?? "";

const userTexts = async (house: Awaited<ReturnType<typeof aHouse>>, sessionId = "post:ann") => {
  const page = await house.store.read((tx) => rows.list(tx, sessionId, { limit: 50 }));
  return page.items.map(({ text }) => text).toReversed();
};

test("take stores what a friend says, runs it and delivers the answer, once for each delivery", async () => {
  await using house = await aHouse();
  await house.outbox.start();

  const taken = await house.take(says("hello"));
  expect(taken).toMatchObject({ kind: "accepted", sessionId: "post:ann" });
  expect(await house.take(says("hello"))).toEqual({ kind: "repeated" });
  await house.provider.took(1);

  expect(house.provider.arrived).toMatchObject([
    { recipient: "ann", piece: { kind: "text", text: "You said: hello" } },
  ]);
  const session = await house.store.read((tx) => sessions.find(tx, "post:ann"));
  expect(session).toMatchObject({ owner: "post:friend", channel: "post" });
});

test("take runs a delivery once that comes many times at the same moment", async () => {
  await using house = await aHouse();

  const all = await Promise.all(Array.from({ length: 20 }, () => house.take(says("hello"))));

  expect(all.filter(({ kind }) => kind === "accepted")).toHaveLength(1);
  expect(all.filter(({ kind }) => kind === "repeated")).toHaveLength(19);
  expect(await userTexts(house)).toEqual(["hello"]);
});

test("take sends a stranger a code once an hour, runs nothing of them, and runs them once admitted", async () => {
  await using house = await aHouse();
  await house.outbox.start();

  expect(await house.take(says("let me in", stranger))).toEqual({ kind: "asked_to_pair" });
  expect(await house.take(says("please", stranger))).toEqual({ kind: "asked_to_pair" });
  await house.provider.took(1);
  house.clock.now += 3_600_000;
  await house.take(says("hey", stranger));
  await house.provider.took(2);
  expect(await house.store.read((tx) => sessions.find(tx, "post:eve"))).toBeUndefined();

  const [first = "", second = ""] = house.provider.texts().map(codeIn);
  expect(first).not.toBe(second);
  expect(await house.pairings.approve({ channel: "post", code: first, by: "operator" })).toEqual({
    kind: "wrong",
  });
  expect(await house.pairings.approve({ channel: "post", code: second, by: "operator" })).toEqual({
    kind: "approved",
    sender: "stranger",
  });
  await house.take(says("now?", stranger));
  await house.provider.took(4);

  expect(house.provider.texts().slice(2)).toEqual([
    "You are admitted now. Please send your message again.",
    "You said: now?",
  ]);
  expect(await house.audited()).toEqual(["asked_to_pair", "asked_to_pair", "wrong_code", "paired"]);
});

test("revoke shuts a sender out again", async () => {
  await using house = await aHouse();
  await house.outbox.start();
  await house.take(says("let me in", stranger));
  await house.provider.took(1);
  const code = codeIn(house.provider.texts()[0]);
  await house.pairings.approve({ channel: "post", code, by: "operator" });

  expect(await house.pairings.revoke({ channel: "post", sender: "stranger", by: "operator" })).toBe(true);
  expect(await house.pairings.revoke({ channel: "post", sender: "stranger", by: "operator" })).toBe(false);

  expect(await house.take(says("hello?", stranger))).toEqual({ kind: "asked_to_pair" });
});

test("approve voids the open codes of a channel after five wrong ones, and knows them for an hour only", async () => {
  await using house = await aHouse();
  await house.outbox.start();
  await house.take(says("let me in", stranger));
  await house.take(says("me too", { ...stranger, sender: { id: "other" }, recipient: "other" }));
  await house.provider.took(2);
  const sent = new Map(house.provider.arrived.map(({ recipient, piece }) => [recipient, codeIn(piece.text)]));
  const [good = "", other = ""] = [sent.get("eve"), sent.get("other")];
  const wrong = ["000000", "000001", "000002"].find((code) => code !== good && code !== other) ?? "";
  const approve = (code: string, sender?: string) =>
    house.pairings.approve({
      channel: "post",
      code,
      by: "operator",
      ...(sender !== undefined && { sender }),
    });

  // For one sender it counts against that sender's code alone.
  for (let n = 0; n < 5; n++) expect(await approve(wrong, "stranger")).toEqual({ kind: "wrong" });
  expect(await approve(good)).toEqual({ kind: "wrong" });
  expect(await approve(good, "stranger")).toEqual({ kind: "none_open" });
  house.clock.now += 3_600_000;
  expect(await approve(other)).toEqual({ kind: "none_open" });
});

test("take refuses whom a closed channel does not know, and writes that down once an hour", async () => {
  await using house = await aHouse({ channel: { policy: "closed" } });

  for (let n = 0; n < 3; n++)
    expect(await house.take(says("in", { ...stranger, deliveryId: `${n}` }))).toEqual({ kind: "refused" });
  expect(await house.take(says("hello"))).toMatchObject({ kind: "accepted" });

  expect(await house.audited()).toEqual(["refused"]);
});

test("take answers no more than a hundred strangers of an hour", async () => {
  await using house = await aHouse();

  for (let n = 0; n < 105; n++)
    await house.take(
      says("in", { ...stranger, deliveryId: `${n}`, sender: { id: `s${n}` }, recipient: `r${n}` }),
    );

  expect((await house.audited()).filter((outcome) => outcome === "asked_to_pair")).toHaveLength(100);
});

test("take cuts a text that is too long, and says so", async () => {
  await using house = await aHouse();

  await house.take(says(`${"x".repeat(10_239)}😀 and more`, { deliveryId: "long" }));

  const [text = ""] = await userTexts(house);
  expect(text).toStartWith(`${"x".repeat(10_239)}\n[The message was cut here`);
});

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);
const attached = (name: string, bytes: Uint8Array, over: Partial<Attachment> = {}): Attachment => ({
  kind: "image",
  name,
  bytes: async () => bytes,
  ...over,
});

test("take shows pictures to the model, and stores files where they may be written", async () => {
  const stored: string[] = [];
  await using house = await aHouse({
    attachments: {
      async storeFile(path) {
        stored.push(path);
        return path;
      },
    },
  });

  const attachments = [
    attached("a.png", png),
    attached("../../etc/passwd", new Uint8Array(2000), { kind: "file" }),
    attached("broken", png, { bytes: () => Promise.reject(new Error("gone")) }),
    attached("liar.png", new Uint8Array(20)),
  ];
  const taken = await house.take(says("look", { attachments }));

  const turn = await house.store.read((tx) => rows.find(tx, taken.kind === "accepted" ? taken.turnId : ""));
  expect(turn?.text.split("\n")).toEqual([
    "look",
    expect.stringMatching(/^\[image: a\.png, 11 bytes: stored as inbound\/[0-9a-f]{32}-a\.png\]$/),
    expect.stringMatching(
      /^\[file: \.\._\.\._etc_passwd, 2 KB: stored as inbound\/[0-9a-f]{32}-etc_passwd\]$/,
    ),
    "[image: broken: it could not be fetched or stored]",
    expect.stringContaining("[image: liar.png, 20 bytes: stored as"),
  ]);
  expect(stored).toHaveLength(3);
  const { content } = JSON.parse(turn?.input ?? "{}");
  expect(content).toHaveLength(2);
  expect(content[1].image_url.url).toStartWith("data:image/png;base64,iVBOR");
});

test("take stores what comes with a message once, also when it was refused and is delivered again", async () => {
  const files = new Map<string, Uint8Array>();
  let room = false;
  await using house = await aHouse({
    isFull: () => !room,
    attachments: {
      async storeFile(path, bytes) {
        if (files.has(path)) throw new AppError("conflict", "There is something of that name.");
        files.set(path, bytes);
        return path;
      },
    },
  });
  const file = attached("a.pdf", png, { kind: "file" });
  const message = says("look", { attachments: [file, file] });

  await expect(house.take(message)).rejects.toMatchObject({ code: "busy" });
  room = true;
  expect(await house.take(message)).toMatchObject({ kind: "accepted" });
  await house.take(says("again", { attachments: [file] }));

  expect(files.size).toBe(3);
  const [first = "", second = ""] = [...files.keys()];
  expect(await userTexts(house)).toContain(
    `look\n[file: a.pdf, 11 bytes: stored as ${first}]\n[file: a.pdf, 11 bytes: stored as ${second}]`,
  );
});

test("take fetches no file that nobody could use", async () => {
  await using house = await aHouse({ attachments: { takesImages: () => false } });
  const attachments = [
    attached("a.pdf", png, { kind: "file", size: 12_000, bytes: () => Promise.reject(new Error("no")) }),
  ];

  await house.take(says("", { attachments }));

  expect(await userTexts(house)).toEqual(["[file: a.pdf, 12 KB: not stored]"]);
});

test("decide answers who presses a button with the sentences that clients know", async () => {
  await using house = await aHouse();
  const turn = {
    id: "t1",
    principal: { name: "post:friend", scope: "chat" },
    channel: "post",
    text: "",
    entries: [],
    request: { parameters: {}, clientTools: [], clientSystem: [], toolsOn: true, approver: "requester" },
    resumed: false,
    signal: new AbortController().signal,
    outsideSlot: <T>(wait: () => Promise<T>) => wait(),
  } as const;
  const call = { callId: "c", toolName: "write_file", argumentsJson: "{}", reason: "autonomy" };
  const { id } = await house.approvals.ask(turn, call);

  const decide = (senderId: string, principal: string, approved = true, scope?: "session") =>
    house.inbox.decide(house.channel, { senderId, principal }, id, approved, scope);
  const notValid = `Approval id is not valid for this sender/channel: ${id}`;
  expect(await decide("friend", "post:eve")).toBe(notValid);
  // Whoever is not admitted (any more) decides nothing, and is sent no code for it.
  expect(await decide("stranger", "post:friend")).toBe(notValid);
  expect((await house.pairings.list({ limit: 5 })).items).toEqual([]);
  expect(await decide("friend", "post:friend", true, "session")).toContain("belongs to no session");
  expect(await decide("friend", "post:friend")).toBe(`Tool approval recorded: ${id} = approved`);
  expect(await decide("friend", "post:friend", false)).toBe(`No pending approval found for id: ${id}`);
});

test("decide takes a press of somebody who was paired until that is taken back", async () => {
  await using house = await aHouse();
  await house.outbox.start();
  await house.take(says("let me in", stranger));
  await house.provider.took(1);
  const code = codeIn(house.provider.texts()[0]);
  await house.pairings.approve({ channel: "post", code, by: "operator" });
  const decide = () =>
    house.inbox.decide(house.channel, { senderId: "stranger", principal: "post:stranger" }, "apr_1", true);

  expect(await decide()).toBe("No pending approval found for id: apr_1");
  await house.pairings.revoke({ channel: "post", sender: "stranger", by: "operator" });
  expect(await decide()).toBe("Approval id is not valid for this sender/channel: apr_1");
});
