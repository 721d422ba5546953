import { expect, test } from "bun:test";
import * as v from "valibot";
import { anSms, startTwilio } from "../channels/a-twilio.ts";
import { startExecutable } from "../helpers/executable.ts";
import { scriptedModel } from "../helpers/model-server.ts";
import { forged, ignored, slackEnv, unusable } from "./refused-deliveries.ts";
import { aPost, webhookEnv } from "./senders.ts";
import { anUpdate, type Refusal, startTelegram } from "./telegram-front.ts";
import { token } from "./ticking-jobs.ts";

interface Refusals {
  readonly refuse?: (count: number, chat: string) => Refusal;
  readonly answer?: (to: string) => Response | undefined;
}

/** A server with all doors open, whose model repeats what it is told. */
async function opened(more: Record<string, string> = {}, refusals: Refusals = {}) {
  const heard: string[] = [];
  const hear = (to: string, text: string) => heard.push(`${to}: ${text}`);
  const telegram = await startTelegram({
    arrived: hear,
    ...(refusals.refuse && { refuse: refusals.refuse }),
  });
  const twilio = startTwilio({ arrived: hear, ...(refusals.answer && { answer: refusals.answer }) });
  const model = scriptedModel(({ messages }) => ({ text: `re ${String(messages.at(-1)?.content)}` }));
  const server = await startExecutable({
    ...twilio.env,
    ...telegram.env,
    ...webhookEnv,
    ...slackEnv,
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_SMS_DM_POLICY: "open",
    OPENCLAW_TELEGRAM_DM_POLICY: "open",
    OPENCLAW_SLACK_DM_POLICY: "open",
    OPENCLAW_SLACK_API_URL: `${model.url}/slack`,
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    ...more,
  });
  return {
    heard,
    model,
    server,
    async post(path: string, init: RequestInit) {
      const answer = await fetch(server.url + path, init);
      return { status: answer.status, text: await answer.text() };
    },
    async ask(path: string) {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(server.url + path, { headers })).json();
    },
    async hears(count: number) {
      for (const deadline = performance.now() + 20_000; heard.length < count; await Bun.sleep(5))
        if (performance.now() > deadline) throw new Error(`Heard only: ${heard.join("\n")}`);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
      await twilio[Symbol.asyncDispose]();
      await telegram[Symbol.asyncDispose]();
    },
  };
}

test("nothing forged, cut, too large, of another type or of an unknown kind becomes a message, and what comes again or out of order is answered once", async () => {
  await using house = await opened();
  const { post } = house;
  for (const { what, path, init, status } of [...unusable, ...ignored, ...forged])
    expect(`${what}: ${(await post(path, init)).status}`).toBe(`${what}: ${status}`);
  expect(await house.ask("/api/sessions")).toMatchObject({ items: [] });

  const update = (id: number) => post("/telegram/inbound", anUpdate({ id, chat: 7, text: `u${id}` }));
  const sms = () => post("/twilio/sms/inbound", anSms({ id: "SM2", from: "+15005550001", text: "hello" }));
  // Of a key that is there twice the last counts.
  const hook = () => post("/webhooks/one", aPost('{"event":"first","event":"last"}'));
  for (const id of [12, 10, 11, 10, 12]) expect((await update(id)).status).toBe(200);
  for (const _ of [1, 2]) expect((await sms()).status).toBe(200);
  expect((await hook()).text).toContain("accepted");
  expect((await hook()).text).toContain("repeated");
  // Wrong proofs are slowed down now, right ones are not.
  const [wrong] = forged;
  for (let n = 0; n < 2; n++)
    if (wrong) expect([401, 429]).toContain((await post(wrong.path, wrong.init)).status);
  if (wrong) expect((await post(wrong.path, wrong.init)).status).toBe(429);
  expect((await update(13)).status).toBe(200);

  await house.hears(6);
  expect(house.heard.filter((text) => text.startsWith("7:"))).toEqual([
    "7: re u12",
    "7: re u10",
    "7: re u11",
    "7: re u13",
  ]);
  expect(house.heard.filter((text) => text.startsWith("+1500"))).toEqual(["+15005550001: re hello"]);
  expect(house.heard.find((text) => text.startsWith("301:"))).toContain("last");
  expect(house.model.requests).toHaveLength(6);
  expect(await house.server.stop()).toBe(0);
  expect(house.heard).toHaveLength(6);
}, 60_000);

const Deliveries = v.object({
  items: v.array(v.object({ recipient: v.string(), attempts: v.number(), lastError: v.string() })),
});

test("a provider that says 429 for longer than an answer is kept, or 200 with an error, leaves a row with the reason, and holds up nobody else", async () => {
  const busy: Refusal = { status: 429, retryAfter: 1 };
  const refusedChats: Record<string, Refusal> = { 7: busy, 8: { status: 400, sentAs: 200 } };
  let isBusy = true;
  await using house = await opened(
    { OPENCLAW_OUTBOX_GIVE_UP_SECONDS: "2" },
    {
      refuse: (_, chat) => (chat === "7" && !isBusy ? undefined : refusedChats[chat]),
      answer: (to) =>
        to.endsWith("1")
          ? Response.json({ sid: "SM1", error_code: 30005, error_message: "Unknown" })
          : undefined,
    },
  );
  const { post } = house;
  for (const chat of [7, 8, 9])
    expect((await post("/telegram/inbound", anUpdate({ id: chat, chat, text: `u${chat}` }))).status).toBe(
      200,
    );
  for (const last of [1, 2]) {
    const sms = anSms({ id: `SM${last}`, from: `+1500555000${last}`, text: `s${last}` });
    expect((await post("/twilio/sms/inbound", sms)).status).toBe(200);
  }
  await house.hears(2);
  expect(house.heard.toSorted()).toEqual(["+15005550002: re s2", "9: re u9"]);

  const dead = async () => v.parse(Deliveries, await house.ask("/api/deliveries")).items;
  const deadline = performance.now() + 20_000;
  while ((await dead()).length < 3 && performance.now() < deadline) await Bun.sleep(20);
  const rows = (await dead()).toSorted((a, b) => (a.recipient < b.recipient ? -1 : 1));
  expect(rows).toMatchObject([
    { recipient: "+15005550001", attempts: 1, lastError: expect.stringContaining("30005") },
    { recipient: "7", lastError: expect.stringMatching(/^Given up after [23] tries: Telegram said 429/) },
    { recipient: "8", attempts: 1, lastError: expect.stringContaining("Telegram said 400") },
  ]);
  // What comes behind it arrives as soon as the provider is well again.
  isBusy = false;
  expect((await post("/telegram/inbound", anUpdate({ id: 70, chat: 7, text: "again" }))).status).toBe(200);
  await house.hears(3);
  expect(house.heard[2]).toBe("7: re again");
}, 60_000);
