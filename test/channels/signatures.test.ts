import { createHmac } from "node:crypto";
import { expect, test } from "bun:test";
import { isSignedByGitHub, isSignedBySlack, isSignedByStripe } from "../../src/channels/signatures.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const sha256 = (secret: string, text: string) => createHmac("sha256", secret).update(text).digest("hex");

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation */
const gitHub = {
  secret: "It's a Secret to Everybody",
  body: bytes("Hello, World!"),
  signature: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
};

/** https://api.slack.com/authentication/verifying-requests-from-slack */
const slack = {
  secret: "8f742231b10e8888abcd99yyyzzz85a5",
  time: "1531420618",
  body: bytes(
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
  ),
  signature: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
};

test("isSignedByGitHub agrees with GitHub's documented example, also while its secret is replaced", () => {
  const headers = new Headers({ "x-hub-signature-256": gitHub.signature });
  const { body, secret } = gitHub;
  expect(isSignedByGitHub({ headers, body, secrets: [secret], now: 0 })).toBe(true);
  expect(isSignedByGitHub({ headers, body, secrets: ["the next one", secret], now: 0 })).toBe(true);
  expect(isSignedByGitHub({ headers, body, secrets: ["the next one"], now: 0 })).toBe(false);
  expect(isSignedByGitHub({ headers, body, secrets: [], now: 0 })).toBe(false);
  expect(isSignedByGitHub({ headers, body: bytes("Hello, World?"), secrets: [secret], now: 0 })).toBe(false);
});

test("isSignedByGitHub refuses a signature that is missing, cut, too long, of another kind or not hexadecimal", () => {
  const { body, secret, signature } = gitHub;
  const hex = signature.slice("sha256=".length);
  const wrong = [
    "",
    "sha256=",
    hex,
    signature.slice(0, -1),
    `${signature}0`,
    `sha1=${hex}`,
    `sha256=${"z".repeat(64)}`,
  ];
  for (const value of wrong) {
    const headers = new Headers({ "x-hub-signature-256": value });
    expect(isSignedByGitHub({ headers, body, secrets: [secret], now: 0 })).toBe(false);
  }
  expect(isSignedByGitHub({ headers: new Headers(), body, secrets: [secret], now: 0 })).toBe(false);
});

test("isSignedBySlack agrees with Slack's documented example, within five minutes of its time", () => {
  const { secret, body, time, signature } = slack;
  const headers = new Headers({ "x-slack-signature": signature, "x-slack-request-timestamp": time });
  const at = Number(time) * 1000;
  const signed = { headers, body, secrets: [secret] };
  expect(isSignedBySlack({ ...signed, now: at })).toBe(true);
  expect(isSignedBySlack({ ...signed, now: at + 300_000 })).toBe(true);
  expect(isSignedBySlack({ ...signed, now: at + 300_001 })).toBe(false);
  expect(isSignedBySlack({ ...signed, now: at - 300_001 })).toBe(false);
  expect(isSignedBySlack({ ...signed, secrets: [`${secret}x`], now: at })).toBe(false);
});

test("isSignedBySlack refuses a time that was not signed, is missing or is none", () => {
  const { secret, body, time, signature } = slack;
  const at = Number(time) * 1000;
  for (const told of [`${Number(time) + 1}`, "", "NaN", "1e9", ` ${time}0`, "-1", "9".repeat(20)]) {
    const headers = new Headers({ "x-slack-signature": signature, "x-slack-request-timestamp": told });
    expect(isSignedBySlack({ headers, body, secrets: [secret], now: at })).toBe(false);
  }
});

test("isSignedByStripe takes any of its v1 signatures within five minutes, and no other scheme", () => {
  const text = '{"id":"evt_1"}';
  const at = 1_700_000_000;
  const good = sha256("whsec_test_secret", `${at}.${text}`);
  const isGood = (header: string, seconds = at) =>
    isSignedByStripe({
      headers: new Headers({ "stripe-signature": header }),
      body: bytes(text),
      secrets: ["whsec_test_secret"],
      now: seconds * 1000,
    });
  expect(isGood(`t=${at},v1=${good}`)).toBe(true);
  expect(isGood(`t=${at},v1=${"0".repeat(64)},v1=${good},v0=abc`)).toBe(true);
  expect(isGood(`t=${at},v1=${good}`, at + 301)).toBe(false);
  expect(isGood(`t=${at},v0=${good}`)).toBe(false);
  expect(isGood(`t=${at + 1},v1=${good}`)).toBe(false);
  expect(isGood(`t=${at},t=${at},v1=${good}`)).toBe(false);
  expect(isGood(`v1=${good}`)).toBe(false);
  expect(isGood("")).toBe(false);
});
