import fc from "fast-check";
import { createHmac } from "node:crypto";
import { expect, test } from "bun:test";
import type { Sending } from "../../src/channels/channel.ts";
import { escapeText, slackPieces, toMrkdwn } from "../../src/channels/slack-text.ts";
import { makeSlack } from "../../src/channels/slack.ts";
import { AppError, httpStatus } from "../../src/errors.ts";
import { memoryStore } from "../../src/store/open.ts";
import { type Answer, noChannels, noting, type Seen, standIn, thrownBy } from "./provider.ts";

const secret = "slack-signing-secret";
const at = 1_700_000_000;
const posted: Answer = () => Response.json({ ok: true, ts: "1700000000.000100", channel: "C1" });

async function made(answer: Answer = posted) {
  const provider = standIn(answer);
  const store = await memoryStore();
  const settings = { ...noChannels, slackToken: "xoxb-token", slackSecret: secret, slackApi: provider.url };
  const channel = await makeSlack(settings, { store, now: () => at * 1000 });
  if (channel?.routes === undefined) throw new Error("There is no Slack channel.");
  const { inbox, taken, decided, deciders } = noting();
  const app = channel.routes(inbox);
  app.onError(
    (error) => new Response("", { status: error instanceof AppError ? httpStatus[error.code] : 500 }),
  );
  const post = (body: string, over: Record<string, string> = {}) =>
    app.request("/slack/events", {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "x-slack-request-timestamp": `${at}`,
        "x-slack-signature": `v0=${createHmac("sha256", secret).update(`v0:${at}:${body}`).digest("hex")}`,
        ...over,
      },
    });
  const event = (fields: object, id = "Ev1") =>
    post(
      JSON.stringify({
        type: "event_callback",
        event_id: id,
        authorizations: [{ user_id: "UBOT" }],
        event: { type: "app_mention", channel: "C1", user: "U1", ts: "1700000000.000200", ...fields },
      }),
    );
  const send = (over: Partial<Sending> = {}) =>
    channel.send(
      { key: "k", recipient: "C1/1700000000.000200#U1", piece: { kind: "text", text: "hi" }, ...over },
      new AbortController().signal,
    );
  const dispose = async () => {
    await provider[Symbol.asyncDispose]();
    await store.close();
  };
  return { channel, provider, taken, decided, deciders, post, event, send, [Symbol.asyncDispose]: dispose };
}

const bodyOf = (seen: Seen | undefined): unknown => JSON.parse(seen?.body ?? "null");
const interaction = (over: object = {}, action: object = {}) =>
  new URLSearchParams({
    payload: JSON.stringify({
      type: "block_actions",
      user: { id: "U1" },
      channel: { id: "C1" },
      message: { ts: "1700000000.000300", thread_ts: "1700000000.000200", text: "May I?" },
      actions: [{ action_id: "approve", value: "apr_0123456789abcdef U1", ...action }],
      ...over,
    }),
  }).toString();
const form = { "content-type": "application/x-www-form-urlencoded" };

test("makeSlack takes a mention as a message of its thread, once however often it is told", async () => {
  await using it = await made();
  expect((await it.event({ text: "<@UBOT> is 1 &lt; 2 &amp;amp; 3?" })).status).toBe(200);
  expect((await it.event({ text: "<@UBOT> is 1 &lt; 2 &amp;amp; 3?" })).status).toBe(200);
  await it.event(
    { text: "<@UBOT> and now?", thread_ts: "1700000000.000200", ts: "1700000009.000100" },
    "Ev2",
  );
  expect(it.taken).toEqual([
    {
      deliveryId: "Ev1",
      sender: { id: "U1" },
      recipient: "C1/1700000000.000200#U1",
      sessionId: "slack:C1:1700000000.000200",
      principal: "slack:C1:1700000000.000200",
      text: "is 1 < 2 &amp; 3?",
    },
    expect.objectContaining({ deliveryId: "Ev2", sessionId: "slack:C1:1700000000.000200", text: "and now?" }),
  ]);
});

test("makeSlack takes a direct message as its sender's own session", async () => {
  await using it = await made();
  await it.event({ type: "message", channel_type: "im", channel: "D1", text: "hello" });
  expect(it.taken).toEqual([
    expect.objectContaining({
      sessionId: "slack:D1",
      principal: "slack:U1",
      recipient: "D1#U1",
      text: "hello",
    }),
  ]);
});

test("makeSlack leaves out bots, itself, edits, what is not for it, and kinds that it does not know", async () => {
  await using it = await made();
  const others = [
    { text: "hi", bot_id: "B1" },
    { text: "hi", user: "UBOT" },
    { text: "hi", user: undefined },
    { type: "message", channel_type: "im", channel: "D1", subtype: "message_changed", text: "hi" },
    { type: "message", channel_type: "channel", text: "<@UBOT> hi" },
    { type: "message", channel_type: "channel", text: "hi all" },
    { type: "reaction_added" },
    { text: "<@UBOT>" },
    { text: "hi", channel: "../../x" },
    { text: 7 },
  ];
  for (const [number, fields] of others.entries())
    expect((await it.event(fields, `Ev${number}`)).status).toBe(200);
  expect((await it.post(JSON.stringify({ type: "app_rate_limited" }))).status).toBe(200);
  expect((await it.post("[]")).status).toBe(200);
  expect(it.taken).toEqual([]);
});

test("makeSlack answers the challenge of a signed request only", async () => {
  await using it = await made();
  const body = JSON.stringify({ type: "url_verification", challenge: "3eZbrw1aB10" });
  expect(await (await it.post(body)).json()).toEqual({ challenge: "3eZbrw1aB10" });
  expect((await it.post(body, { "x-slack-signature": "v0=0" })).status).toBe(401);
});

test("makeSlack takes nothing that is forged, old, cut, too large, of another type or no text", async () => {
  await using it = await made();
  const body = JSON.stringify({ type: "event_callback", event_id: "E", event: { type: "x" } });
  const good = createHmac("sha256", secret).update(`v0:${at}:${body}`).digest("hex");
  const old = `${at - 301}`;
  const signedOld = createHmac("sha256", secret).update(`v0:${old}:${body}`).digest("hex");
  expect((await it.post(body, { "x-slack-signature": "" })).status).toBe(401);
  expect((await it.post(body.slice(1), { "x-slack-signature": `v0=${good}` })).status).toBe(401);
  expect((await it.post(body, { "x-slack-request-timestamp": old })).status).toBe(401);
  expect(
    (await it.post(body, { "x-slack-request-timestamp": old, "x-slack-signature": `v0=${signedOld}` }))
      .status,
  ).toBe(401);
  expect((await it.post(body, { "content-type": "text/plain" })).status).toBe(415);
  expect((await it.post("x".repeat(512 * 1024 + 1))).status).toBe(413);
  expect((await it.post("{")).status).toBe(400);
  expect((await it.post(body)).status).toBe(200);
});

test("makeSlack shows files the bot's token only where Slack keeps them", async () => {
  await using it = await made(() => new Response("bytes"));
  const file = (url: string) => ({ name: "a.png", mimetype: "image/png", url_private_download: url });
  await it.event({
    text: "<@UBOT> look",
    files: [file(`${it.provider.url}/f`), file("https://files.slack.com.evil.example/f")],
  });
  const [message] = it.taken;
  expect(message?.text).toBe("look\n[file: a.png, not at Slack: not fetched]");
  expect(message?.attachments).toHaveLength(1);
  const bytes = await message?.attachments?.[0]?.bytes(100, new AbortController().signal);
  expect(new TextDecoder().decode(bytes)).toBe("bytes");
  expect(it.provider.seen[0]?.headers.get("authorization")).toBe("Bearer xoxb-token");
});

test("makeSlack posts into the thread, escaped, without names or links that Slack would act on", async () => {
  await using it = await made();
  expect(await it.send({ piece: { kind: "text", text: "<!channel> **1 < 2** & done" } })).toEqual({
    id: "1700000000.000100",
  });
  const [seen] = it.provider.seen;
  expect(seen?.path).toBe("/chat.postMessage");
  expect(seen?.headers.get("authorization")).toBe("Bearer xoxb-token");
  expect(bodyOf(seen)).toEqual({
    channel: "C1",
    thread_ts: "1700000000.000200",
    text: "&lt;!channel&gt; *1 &lt; 2* &amp; done",
    unfurl_links: false,
    unfurl_media: false,
    link_names: false,
  });
});

test("makeSlack puts the answer in the place of its preview, or beside it when that cannot be edited", async () => {
  await using it = await made(({ path }) =>
    path === "/chat.update"
      ? Response.json({ ok: false, error: "message_not_found" })
      : Response.json({ ok: true, ts: "2.2" }),
  );
  expect(await it.send({ replaces: "1.1" })).toEqual({ id: "2.2" });
  expect(it.provider.seen.map(({ path }) => path)).toEqual(["/chat.update", "/chat.postMessage"]);
  expect(bodyOf(it.provider.seen[0])).toMatchObject({ channel: "C1", ts: "1.1", text: "hi" });
});

test("makeSlack tells what goes by from what is final", async () => {
  const no = (error: string) => () => Response.json({ ok: false, error });
  const cases: readonly [Answer, { final: boolean; retryAfterMs?: number }][] = [
    [
      () =>
        Response.json(
          { ok: false, error: "ratelimited" },
          { status: 429, headers: { "retry-after": "3600" } },
        ),
      { final: false, retryAfterMs: 3_600_000 },
    ],
    [
      () => new Response("", { status: 429, headers: { "retry-after": "30" } }),
      { final: false, retryAfterMs: 30_000 },
    ],
    [no("internal_error"), { final: false }],
    [() => new Response("busy", { status: 503 }), { final: false }],
    [() => new Response("<html>"), { final: false }],
    ...["channel_not_found", "not_in_channel", "is_archived", "invalid_auth", "missing_scope", "no_text"].map(
      (error) => [no(error), { final: true }] as [Answer, { final: boolean }],
    ),
  ];
  for (const [answer, expected] of cases) {
    await using it = await made(answer);
    const failed = await thrownBy(it.send());
    expect(failed).toMatchObject(expected);
    expect(String(failed)).not.toContain("xoxb");
  }
  await using it = await made();
  expect(await thrownBy(it.send({ recipient: "#general" }))).toMatchObject({ final: true });
});

test("makeSlack asks with buttons, and only who was asked decides by them", async () => {
  await using it = await made();
  await it.send({
    piece: { kind: "approval", text: "Tool approval required.\n``` <b>", approvalId: "apr_0123456789abcdef" },
  });
  const asked = JSON.stringify(bodyOf(it.provider.seen[0]));
  expect(asked).toContain('"value":"apr_0123456789abcdef U1"');
  expect(asked).toContain("''' &lt;b&gt;");
  expect((await it.post(interaction(), form)).status).toBe(200);
  await it.post(interaction({}, { action_id: "approve_session" }), form);
  await it.post(interaction({}, { action_id: "deny" }), form);
  await it.post(interaction({ user: { id: "U2" } }), form);
  await it.post(interaction({}, { action_id: "always" }), form);
  await it.post(interaction({}, { value: "apr_0123456789abcdef" }), form);
  expect((await it.post(interaction(), { ...form, "x-slack-signature": "v0=1" })).status).toBe(401);
  const principal = "slack:C1:1700000000.000200";
  expect(it.decided).toEqual([
    [principal, "apr_0123456789abcdef", true, "once"],
    [principal, "apr_0123456789abcdef", true, "session"],
    [principal, "apr_0123456789abcdef", false, "once"],
  ]);
  await it.post(interaction({ channel: { id: "D1" } }), form);
  expect(it.decided.at(-1)?.[0]).toBe("slack:U1");
  expect(it.deciders).toEqual(["U1", "U1", "U1", "U1"]);
});

test("makeSlack takes no written decision in a thread, where it could be somebody else's", async () => {
  await using it = await made();
  await it.event({ text: "<@UBOT> /approve apr_0123456789abcdef yes", user: "U2" });
  await it.event({ text: "<@UBOT> / Approve apr_0123456789abcdef yes", user: "U2" }, "Ev1b");
  expect(it.taken).toEqual([]);
  await it.event(
    { type: "message", channel_type: "im", channel: "D1", text: "/approve apr_0123456789abcdef yes" },
    "Ev2",
  );
  expect(it.taken).toHaveLength(1);
});

test("slackPieces holds every message under 40,000 characters when escaped, graphemes whole", () => {
  const joined = (pieces: readonly { text: string }[]) => pieces.map((piece) => piece.text).join("");
  expect(slackPieces("a".repeat(40_000))).toHaveLength(1);
  expect(slackPieces("a".repeat(40_001))).toHaveLength(2);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("&", "<", "👩‍👩‍👧", "שלום", "e\u0301", "\n", "x"), {
        minLength: 1,
        maxLength: 30,
      }),
      (parts) => {
        const answer = `a${parts.join("").repeat(2000)}b`;
        const pieces = slackPieces(answer);
        for (const piece of pieces) expect(escapeText(piece.text).length).toBeLessThanOrEqual(40_000);
        expect(joined(pieces).replace(/\s/g, "")).toBe(answer.replace(/\s/g, ""));
        expect(joined(pieces).isWellFormed()).toBe(true);
      },
    ),
    { numRuns: 20 },
  );
});

test("toMrkdwn turns marks into Slack's outside code, and never grows beyond the escaped text", () => {
  expect(toMrkdwn("# Title\n**bold** [a](https://x.example/?a=1&b=2)")).toBe(
    "*Title*\n*bold* <https://x.example/?a=1&amp;b=2|a>",
  );
  expect(toMrkdwn("`**a**` ```\n# x **y**\n```")).toBe("`**a**` ```\n# x **y**\n```");
  expect(toMrkdwn("[x](javascript:alert) <@U1> <!here>")).toBe(
    "[x](javascript:alert) &lt;@U1&gt; &lt;!here&gt;",
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("**", "#", " ", "a", "\n", "`", "[", "](", ")", "https://a", "<", "&", "|")),
      (parts) => {
        const markdown = parts.join("");
        expect(toMrkdwn(markdown).length).toBeLessThanOrEqual(escapeText(markdown).length);
      },
    ),
  );
});
