import { expect, test } from "bun:test";
import { anSms, startTwilio } from "../channels/a-twilio.ts";
import { runExecutable, startExecutable } from "../helpers/executable.ts";

test("openclaw pairing admits a sender by their code, lists them and shuts them out again", async () => {
  await using twilio = startTwilio();
  const token = { OPENCLAW_AUTH_TOKEN: "an-operators-token" };
  await using server = await startExecutable({ ...twilio.env, ...token });
  const pairing = (...words: string[]) =>
    runExecutable(["pairing", ...words], { ...token, OPENCLAW_BASE_URL: server.url });
  const says = async (id: string, text: string) =>
    (await fetch(`${server.url}/twilio/sms/inbound`, anSms({ id, from: "+15005550001", text }))).status;

  expect(server.stdout()).toContain("channels sms (pairing)");
  expect(await says("SM1", "hello")).toBe(200);
  await twilio.took(1);
  const code = /\b\d{6}\b/.exec(twilio.sent[0]?.body ?? "")?.[0] ?? "";
  expect((await pairing("list")).stdout).toMatch(/^sms {2}\+15005550001 {2}open {2}/);

  expect(await pairing("approve", "sms", code)).toMatchObject({
    code: 0,
    stdout: "Admitted +15005550001 on sms.\n",
  });
  expect(await pairing("approve", "sms", code)).toMatchObject({ code: 1, stdout: "" });
  expect(await says("SM2", "/help")).toBe(200);
  await twilio.took(3);
  expect(twilio.sent.at(-1)?.body).toContain("Available commands:");

  expect((await pairing("revoke", "sms", "+15005550001")).code).toBe(0);
  expect((await pairing("list")).stdout).toBe("Nobody was admitted, and nobody asked.\n");
  expect((await pairing("approve", "sms")).code).toBe(2);
}, 60_000);
