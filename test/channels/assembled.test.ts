import { expect, test } from "bun:test";
import { startInProcess } from "../helpers/in-process.ts";
import { anSms, startTwilio } from "./a-twilio.ts";

test("a message that comes in by a channel is answered by it, and the server tells what is on", async () => {
  await using twilio = startTwilio({ refuse: (count) => count === 1 });
  await using server = await startInProcess({ ...twilio.env, OPENCLAW_SMS_DM_POLICY: "open" });
  const sms = anSms({ id: "SM0001", from: "+15005550001", text: "/help" });
  const send = (init: RequestInit) => fetch(`${server.url}/twilio/sms/inbound`, init);

  expect((await send({ ...sms, body: `${sms.body}&More=1` })).status).toBe(401);
  expect((await send(sms)).status).toBe(200);
  expect((await send(sms)).status).toBe(200);
  await twilio.took(1);

  expect(twilio.sent).toEqual([{ to: "+15005550001", body: expect.stringContaining("Available commands:") }]);
  const status = await (await server.ask("/api/status")).json();
  expect(status).toMatchObject({ channels: [{ name: "sms", policy: "open" }], outbox: { dead: 0 } });
});
