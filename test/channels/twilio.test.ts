import fc from "fast-check";
import { expect, test } from "bun:test";
import { DeliveryError, type Inbox } from "../../src/channels/channel.ts";
import { readFields, twilioSignature } from "../../src/channels/twilio-signature.ts";
import { makeTwilio } from "../../src/channels/twilio.ts";
import { AppError, busy, httpStatus, sessionBusy, stopping } from "../../src/errors.ts";
import { enqueue, ofTurn } from "../../src/store/outbox.ts";
import { memoryStore } from "../../src/store/open.ts";
import { forEachStore } from "../store/stores.ts";
import { isOptedOut, optIn, optOut } from "../../src/store/opt-outs.ts";
import { type Answer, noChannels, noting, standIn, thrownBy } from "./provider.ts";

const token = "twilio-token-of-a-test";
const publicUrl = "https://agent.example.com";
const sent: Answer = () => Response.json({ sid: "SM1", status: "queued", error_code: null }, { status: 201 });

async function made(answer: Answer = sent, over: object = {}, other?: Inbox) {
  const provider = standIn(answer);
  const store = await memoryStore();
  const settings = {
    ...noChannels,
    publicUrl,
    twilioAccount: "AC1",
    twilioToken: token,
    twilioFrom: "+15550100",
    twilioApi: provider.url,
    ...over,
  };
  const channel = await makeTwilio(settings, { store, now: () => 1_700_000_000_000 });
  if (channel?.routes === undefined) throw new Error("There is no SMS channel.");
  const { inbox, taken } = noting();
  const app = channel.routes(other ?? inbox);
  app.onError((error) =>
    error instanceof AppError
      ? new Response(error.message, { status: httpStatus[error.code] })
      : new Response("", { status: 500 }),
  );
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": twilioSignature(
          token,
          publicUrl + path,
          readFields(typeof body === "string" ? body : new TextDecoder().decode(body)),
        ),
        ...headers,
      },
    });
  const sms = (fields: Record<string, string>, headers?: Record<string, string>) =>
    post(
      "/twilio/sms/inbound",
      new URLSearchParams({
        MessageSid: "SM0",
        From: "+15550001",
        To: "+15550100",
        NumMedia: "0",
        ...fields,
      }).toString(),
      headers,
    );
  const send = (text: string, signal = new AbortController().signal) =>
    channel.send({ key: "k", recipient: "+15550001", piece: { kind: "text", text } }, signal);
  const dispose = async () => {
    await provider[Symbol.asyncDispose]();
    await store.close();
  };
  return { channel, provider, store, taken, post, sms, send, [Symbol.asyncDispose]: dispose };
}

const empty = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>';

test("makeTwilio takes a signed message once, and answers with empty TwiML", async () => {
  await using it = await made();
  const body = "Hello 👩‍👩‍👧 שלום";
  const answers = [await it.sms({ Body: body }), await it.sms({ Body: body })];
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toStartWith("text/xml");
    expect(await answer.text()).toBe(empty);
  }
  expect(it.taken).toEqual([
    {
      deliveryId: "SM0",
      sender: { id: "+15550001" },
      recipient: "+15550001",
      sessionId: "sms:15550001",
      principal: "sms:+15550001",
      text: body,
    },
  ]);
});

test("makeTwilio takes nothing that is forged, changed, signed for another address, too large or of another type", async () => {
  await using it = await made();
  const form = "MessageSid=SM1&From=%2B15550001&Body=hi";
  const path = "/twilio/sms/inbound";
  const elsewhere = twilioSignature(token, `${publicUrl}/twilio/sms/status`, readFields(form));
  const refused = [
    await it.post(path, form, { "x-twilio-signature": "" }),
    await it.post(path, form, {
      "x-twilio-signature": twilioSignature("other", publicUrl + path, readFields(form)),
    }),
    await it.post(path, `${form}!`, {
      "x-twilio-signature": twilioSignature(token, publicUrl + path, readFields(form)),
    }),
    await it.post(path, form.slice(0, -1), {
      "x-twilio-signature": twilioSignature(token, publicUrl + path, readFields(form)),
    }),
    await it.post(path, form, { "x-twilio-signature": elsewhere }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  const most = `${form}&X=`.padEnd(64 * 1024, "x");
  expect((await it.post(path, most)).status).toBe(200);
  expect((await it.post(path, `${most}x`)).status).toBe(413);
  expect((await it.post(path, form, { "content-type": "application/json" })).status).toBe(415);
  const broken = new Uint8Array([...new TextEncoder().encode(form), 0xff]);
  expect((await it.post(path, broken)).status).toBe(400);
  expect(it.taken).toHaveLength(1);
});

test("makeTwilio tells who writes while there is no room to do it again, as Twilio does not", async () => {
  for (const error of [busy(), sessionBusy(), stopping()]) {
    const { inbox } = noting(() => error);
    await using it = await made(sent, {}, inbox);
    const answer = await it.sms({ Body: "hi" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(
      "<Response><Message>Server is busy. Please retry.</Message></Response>",
    );
  }
});

test("makeTwilio lets the provider try again when the message could not be stored", async () => {
  await using it = await made();
  const { inbox } = noting(() => new AppError("unavailable", "The disk is full."));
  const app = it.channel.routes?.(inbox);
  app?.onError(
    (error) => new Response("", { status: error instanceof AppError ? httpStatus[error.code] : 500 }),
  );
  const body = "MessageSid=SM1&From=%2B15550001&Body=hi";
  const answer = await app?.request("/twilio/sms/inbound", {
    method: "POST",
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": twilioSignature(token, `${publicUrl}/twilio/sms/inbound`, readFields(body)),
    },
  });
  expect(answer?.status).toBe(503);
});

test("makeTwilio answers STOP, START and HELP by rule, and writes to nobody who said STOP", async () => {
  await using it = await made();
  const say = async (text: string, id: string) => (await it.sms({ Body: text, MessageSid: id })).text();
  for (const [at, word] of ["STOP", " stopall ", "Unsubscribe", "CANCEL", "end", "Quit"].entries()) {
    expect(await say(word, `SM-stop-${at}`)).toContain("<Message>You will get no more messages");
    expect(await thrownBy(it.send("hello"))).toMatchObject({ final: true });
    expect(await say("are you there?", `SM-drop-${at}`)).toBe(empty);
    expect(await say("HELP", `SM-help-${at}`)).toContain("<Message>This number is answered");
    expect(await thrownBy(it.send("hello"))).toBeInstanceOf(DeliveryError);
    expect(await say(["START", "yes", "UNSTOP"][at % 3] ?? "", `SM-start-${at}`)).toContain(
      "<Message>You get messages",
    );
    expect(await it.send("hello")).toEqual({ id: "SM1" });
  }
  expect(it.taken).toEqual([]);
  expect(await say("info", "SM-info")).toContain("<Message>This number is answered");
  // Words in a sentence, and YES to a question, are for the model.
  for (const [at, text] of ["stop that please", "YES", "constructor"].entries())
    await say(text, `SM-words-${at}`);
  expect(it.taken.map(({ text }) => text)).toEqual(["stop that please", "YES", "constructor"]);
});

test("makeTwilio obeys a word once: an old STOP that comes again does not undo a START", async () => {
  await using it = await made();
  await it.sms({ Body: "STOP", MessageSid: "SM1" });
  await it.sms({ Body: "START", MessageSid: "SM2" });
  await it.sms({ Body: "STOP", MessageSid: "SM1" });
  expect(await it.send("hello")).toEqual({ id: "SM1" });
});

test("makeTwilio leaves the answer to Twilio where that has answered a word already", async () => {
  await using it = await made();
  const answer = await it.sms({ Body: "ARRET", OptOutType: "STOP" });
  expect(await answer.text()).toBe(empty);
  expect(await thrownBy(it.send("hello"))).toMatchObject({ final: true });
});

test("makeTwilio fetches media with the account's key from its own API only", async () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
  await using it = await made(({ path }) =>
    path.endsWith("/ME2")
      ? new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/secret" } })
      : new Response(png),
  );
  const own = `${it.provider.url}/2010-04-01/Accounts/AC1/Messages/SM0/Media`;
  await it.sms({
    Body: "look",
    NumMedia: "3",
    MediaUrl0: `${own}/ME1`,
    MediaContentType0: "image/png",
    MediaUrl1: "http://127.0.0.1:1/internal",
    MediaContentType1: "application/pdf",
    MediaUrl2: `${own}/ME2`,
    MediaContentType2: "image/png",
  });
  const [message] = it.taken;
  expect(message?.text).toBe("look\n[file: application/pdf, not at Twilio's API: not fetched]");
  const [first, redirected] = message?.attachments ?? [];
  expect(first).toMatchObject({ kind: "image", type: "image/png", name: "media-1.png" });
  const { signal } = new AbortController();
  expect(await first?.bytes(100, signal)).toEqual(Buffer.from(png));
  expect(await thrownBy(first?.bytes(3, signal))).toMatchObject({ code: "payload_too_large" });
  expect(String(await thrownBy(redirected?.bytes(100, signal)))).toContain("where it is not fetched");
  expect(it.provider.seen[0]?.headers.get("authorization")).toBe(`Basic ${btoa(`AC1:${token}`)}`);
});

test("makeTwilio sends through the Messages API and asks to be told what became of it", async () => {
  await using it = await made();
  expect(await it.send("hi & bye")).toEqual({ id: "SM1" });
  const [seen] = it.provider.seen;
  expect(seen?.path).toBe("/2010-04-01/Accounts/AC1/Messages.json");
  expect(Object.fromEntries(new URLSearchParams(seen?.body))).toEqual({
    To: "+15550001",
    From: "+15550100",
    Body: "hi & bye",
    StatusCallback: `${publicUrl}/twilio/sms/status`,
  });
  await using service = await made(sent, { twilioFrom: "MG77", publicUrl: undefined });
  await service.send("hi");
  const fields = Object.fromEntries(new URLSearchParams(service.provider.seen[0]?.body));
  expect(fields).toEqual({ To: "+15550001", MessagingServiceSid: "MG77", Body: "hi" });
});

const error = (status: number, code: number, headers: Record<string, string> = {}) =>
  Response.json({ code, message: `Error ${code}`, status }, { status, headers });

test("makeTwilio tells what goes by from what is final", async () => {
  const cases: readonly [Response, { final: boolean; retryAfterMs?: number }][] = [
    [error(429, 20429, { "retry-after": "3600" }), { final: false, retryAfterMs: 3_600_000 }],
    [error(503, 20503), { final: false }],
    [error(500, 20500), { final: false }],
    [error(401, 20003), { final: false }],
    [error(400, 21610), { final: true }],
    [error(400, 21211), { final: true }],
    [error(404, 20404), { final: true }],
    // 200 with an error in it.
    [error(200, 21211), { final: true }],
    [error(200, 20429), { final: false }],
    [
      Response.json({ sid: "SM1", status: "failed", error_code: 30006, error_message: "Landline" }),
      { final: true },
    ],
    [new Response("<html>Welcome</html>"), { final: false }],
    // The queue of the number is full, the account is suspended or has sent enough for today.
    [error(400, 21611), { final: false }],
    [error(403, 20005), { final: false }],
    [Response.json({ sid: "SM1", status: "failed", error_code: 30002 }), { final: false }],
    [error(429, 63038), { final: false }],
    // Words of something in between, which is not Twilio.
    [new Response("<html>Access denied by the firewall</html>", { status: 403 }), { final: false }],
    [new Response("<html>Not found</html>", { status: 404 }), { final: false }],
    [new Response("<html>Who are you?</html>", { status: 407 }), { final: false }],
    [Response.json({ message: "Too large" }, { status: 413 }), { final: true }],
    [new Response("", { status: 302, headers: { location: "http://127.0.0.1:1/" } }), { final: false }],
  ];
  for (const [answer, expected] of cases) {
    await using it = await made(() => answer);
    const failed = await thrownBy(it.send("hi"));
    expect(failed).toBeInstanceOf(DeliveryError);
    expect(failed).toMatchObject(expected);
    expect(String(failed)).not.toContain(token);
  }
});

test("makeTwilio says that Twilio cannot be reached, and lets an abort through", async () => {
  await using it = await made(sent, { twilioApi: "http://127.0.0.1:1" });
  expect(await thrownBy(it.send("hi"))).toMatchObject({ name: "DeliveryError", final: false });
  const ended = AbortSignal.abort(new Error("the server stops"));
  expect(await thrownBy(it.send("hi", ended))).not.toBeInstanceOf(DeliveryError);
});

test("makeTwilio cuts an answer into pieces of 1,600 characters that hold whole graphemes", async () => {
  await using it = await made();
  const segmenter = new Intl.Segmenter();
  const graphemes = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment);
  const signs = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.constantFrom("👩‍👩‍👧‍👦", "שלום ", "e\u0301", "🇩🇪", "\n\n", ". "),
  );
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 200 }), fc.nat(1600), (parts, pad) => {
      const answer = "x".repeat(pad) + parts.join("").repeat(3);
      const pieces = it.channel.pieces(answer).map(({ text }) => text);
      for (const text of pieces) expect(text.length).toBeLessThanOrEqual(1600);
      const inPieces = pieces.flatMap(graphemes).join("").replace(/\s+/g, "");
      expect(inPieces).toBe(answer.replace(/\s+/g, ""));
    }),
    { numRuns: 50 },
  );
  expect(it.channel.pieces("a".repeat(1600))).toHaveLength(1);
  expect(it.channel.pieces(`${"a".repeat(1599)}👍`).map(({ text }) => text)).toEqual([
    "a".repeat(1599),
    "👍",
  ]);
  expect(it.channel.pieces(" \n ")).toEqual([]);
});

test("makeTwilio notes what became of a message, whatever order it is told in, and shows what did not arrive", async () => {
  await using it = await made();
  await it.store.write(async (tx) => {
    await enqueue(tx, {
      channel: "sms",
      recipient: "+15550001",
      turnId: "turn",
      kind: "answer",
      pieces: ["{}"],
      now: 1_700_000_000_000,
    });
    await tx`UPDATE outbox SET state = 'sent', provider_id = 'SM1', ended_at = ${1_700_000_000_000}`;
  });
  const receipt = async () => (await it.store.read((tx) => ofTurn(tx, "turn")))[0]?.receipt;
  const tell = (fields: string) => it.post("/twilio/sms/status", fields);
  expect((await tell("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003")).status).toBe(204);
  expect(await receipt()).toBe("undelivered (30003)");
  expect((await tell("MessageSid=SM1&MessageStatus=sent")).status).toBe(204);
  expect((await tell("MessageSid=SM-unknown&MessageStatus=delivered")).status).toBe(204);
  expect(await receipt()).toBe("undelivered (30003)");
  expect(
    (
      await it.post("/twilio/sms/status", "MessageSid=SM1&MessageStatus=delivered", {
        "x-twilio-signature": "x",
      })
    ).status,
  ).toBe(401);
  const findings = await it.channel.check?.(new AbortController().signal);
  expect(findings?.map(({ state }) => state)).toEqual(["fail", "warn"]);
  expect(findings?.[1]?.text).toContain("undelivered (30003)");
});

test("makeTwilio is off without its three settings", async () => {
  const store = await memoryStore();
  const settings = { ...noChannels, twilioAccount: "AC1", twilioToken: token };
  expect(await makeTwilio(settings, { store })).toBeUndefined();
  await store.close();
});

forEachStore("optOut is kept until optIn, for each channel and sender", async (store) => {
  const stopped = (sender: string) => store.read((tx) => isOptedOut(tx, "sms", sender));
  await store.write((tx) => optOut(tx, "sms", "+1", 1));
  await store.write((tx) => optOut(tx, "sms", "+1", 2));
  expect(await Promise.all(["+1", "+2"].map(stopped))).toEqual([true, false]);
  expect(await store.read((tx) => isOptedOut(tx, "slack", "+1"))).toBe(false);
  await store.write((tx) => optIn(tx, "sms", "+1"));
  expect(await stopped("+1")).toBe(false);
});
