import { expect, test } from "bun:test";
import { createSlackApi } from "../../src/channels/slack-api.ts";
import { slackPreview } from "../../src/channels/slack-preview.ts";
import type { LoggedEvent, SessionEvent } from "../../src/turns/turns.ts";
import { type Answer, type Seen, standIn } from "./provider.ts";

const told = (event: LoggedEvent): SessionEvent => ({ sessionId: "s", turnId: "t", cursor: "1", event });
const text = (said: string) => told({ type: "text", text: said });

/** A preview whose stand-in says when it was asked for the `n`th time. */
function made(answer: Answer, isNext?: () => Promise<boolean>) {
  const asked = Array.from({ length: 3 }, () => Promise.withResolvers<Seen>());
  const provider = standIn((request, index) => {
    asked[index]?.resolve(request);
    return answer(request, index);
  });
  const api = createSlackApi(provider.url, () => "xoxb", Date.now);
  const preview = slackPreview(api, { channel: "C1", thread: "1.2" }, 1, isNext);
  const nth = async (index: number): Promise<unknown> => {
    const seen = await asked[index]?.promise;
    return { path: seen?.path, ...JSON.parse(seen?.body ?? "null") };
  };
  return { preview, provider, nth, [Symbol.asyncDispose]: provider[Symbol.asyncDispose] };
}

test("slackPreview shows a growing answer in one message, escaped, and begins anew behind a tool", async () => {
  await using it = made(() => Response.json({ ok: true, ts: "5.5" }));
  it.preview.event(text("Once <upon>"));
  it.preview.event(text(" a time"));
  expect(await it.nth(0)).toEqual({
    path: "/chat.postMessage",
    channel: "C1",
    thread_ts: "1.2",
    text: "Once &lt;upon&gt; a time …",
  });
  it.preview.event(told({ type: "tool_start", callId: "c", toolName: "time", argumentsPreview: "" }));
  it.preview.event(text("It is noon"));
  expect(await it.nth(1)).toMatchObject({ path: "/chat.update", ts: "5.5", text: "It is noon …" });
  await it.preview.stop();
  it.preview.event(text(" more"));
  expect(it.preview.messageId).toBe("5.5");
  expect(it.provider.seen).toHaveLength(2);
});

test("slackPreview waits for its first message before it ends, so that the answer goes into it", async () => {
  const gate = Promise.withResolvers<void>();
  await using it = made(async () => {
    await gate.promise;
    return Response.json({ ok: true, ts: "5.5" });
  });
  it.preview.event(text("Once"));
  await it.nth(0);
  const stopped = it.preview.stop();
  expect(it.preview.messageId).toBeUndefined();
  gate.resolve();
  await stopped;
  expect(it.preview.messageId).toBe("5.5");
});

test("slackPreview begins no message before what was said earlier has arrived", async () => {
  let asked = 0;
  const askedTwice = Promise.withResolvers<void>();
  let arrived = false;
  const isNext = async () => {
    if (++asked === 2) askedTwice.resolve();
    return arrived;
  };
  await using it = made(() => Response.json({ ok: true, ts: "5.5" }), isNext);
  it.preview.event(text("Once"));
  await askedTwice.promise;
  expect(it.provider.seen).toEqual([]);
  arrived = true;
  expect(await it.nth(0)).toMatchObject({ path: "/chat.postMessage", text: "Once …" });
  await it.preview.stop();
});

test("slackPreview goes on after a refusal that goes by, and gives up after one that is final", async () => {
  await using limited = made((_, index) =>
    index === 0
      ? Response.json({ ok: false, error: "ratelimited" }, { status: 429, headers: { "retry-after": "0" } })
      : Response.json({ ok: true, ts: "5.5" }),
  );
  limited.preview.event(text("Once"));
  expect(await limited.nth(1)).toMatchObject({ path: "/chat.postMessage" });
  await limited.preview.stop();
  expect(limited.preview.messageId).toBe("5.5");

  await using gone = made(() => Response.json({ ok: false, error: "channel_not_found" }));
  gone.preview.event(text("Once"));
  await gone.nth(0);
  await gone.preview.stop();
  gone.preview.event(text(" more"));
  expect(gone.preview.messageId).toBeUndefined();
  expect(gone.provider.seen).toHaveLength(1);
});

test("slackPreview begins no second message where nobody knows whether the first was taken", async () => {
  await using it = made((_, index) =>
    index === 0 ? new Response("", { status: 504 }) : Response.json({ ok: true, ts: "5.5" }),
  );
  it.preview.event(text("Once"));
  await it.nth(0);
  it.preview.event(text(" upon a time"));

  // Meanwhile another one is begun and edited, by the same pace.
  const other = slackPreview(
    createSlackApi(it.provider.url, () => "xoxb", Date.now),
    { channel: "C2" },
    5,
  );
  other.event(text("Twice"));
  await it.nth(1);
  other.event(text(" as well"));
  expect(await it.nth(2)).toMatchObject({ path: "/chat.update", channel: "C2" });
  await other.stop();
  await it.preview.stop();
  expect(it.preview.messageId).toBeUndefined();
  expect(it.provider.seen).toHaveLength(3);
});

test("slackPreview takes its message away", async () => {
  await using it = made(() => Response.json({ ok: true, ts: "5.5" }));
  it.preview.event(text("Once"));
  await it.nth(0);
  await it.preview.stop();
  await it.preview.discard?.();
  expect(await it.nth(1)).toEqual({ path: "/chat.delete", channel: "C1", ts: "5.5" });
});
