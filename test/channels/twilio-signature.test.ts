import fc from "fast-check";
import { getExpectedTwilioSignature, validateRequest } from "twilio/lib/webhooks/webhooks.js";
import { expect, test } from "bun:test";
import { isSignedByTwilio, readFields, twilioSignature } from "../../src/channels/twilio-signature.ts";
import { runs } from "../helpers/long.ts";

const name = fc.oneof(
  fc.constantFrom("From", "To", "Body", "MessageSid", "NumMedia", "MediaUrl0", "0", "10", "9", "__proto__"),
  fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }),
);
const value = fc.oneof(
  fc.string({ maxLength: 30, unit: "grapheme" }),
  fc.constantFrom("", "+15017122661", "a b&c=d", "שלום 👩‍👩‍👧"),
);
const pairs = fc.array(fc.tuple(name, value), { maxLength: 12 });
const host = fc.constantFrom("agent.example.com", "user:word@agent.example.com", "127.0.0.1", "[::1]");
const port = fc.constantFrom("", ":443", ":80", ":8443");
const query = fc.oneof(
  fc.constant(""),
  fc.constantFrom("?a=1", "?", "?q=it's&x=a%20b", "?x=%27&y=a+b", "?a=1&a=2"),
  fc.webQueryParameters().map((text) => `?${text}`),
);
const address = fc
  .tuple(fc.constantFrom("https://", "http://"), host, port, query)
  .map(([scheme, authority, number, rest]) => `${scheme}${authority}${number}/twilio/sms/inbound${rest}`);

/** As a body parser hands it to the official package: one value, or a list of several. */
function asParams(form: string): Record<string, string | string[]> {
  const params: Record<string, string | string[]> = Object.create(null);
  for (const [key, values] of readFields(form)) {
    const [only = "", ...more] = values;
    params[key] = more.length === 0 ? only : [...values];
  }
  return params;
}

const otherForms = (url: string) => {
  const parsed = new URL(url);
  const secure = parsed.protocol === "https:";
  return [
    url,
    url.replace(/^(https?:\/\/[^/]*?):\d+(\/)/, "$1$2"),
    url.replace(/^(https?:\/\/[^/:]+)(\/)/, `$1:${secure ? 443 : 80}$2`),
    parsed.toString(),
    `${url}x`,
  ];
};

test("isSignedByTwilio agrees with the official package over random requests, right, wrong and half right", async () => {
  const seen = { good: 0, bad: 0 };
  await fc.assert(
    fc.asyncProperty(address, pairs, fc.nat(4), fc.nat(3), async (url, fields, form, damage) => {
      const body = new URLSearchParams(fields).toString();
      const params = asParams(body);
      const signedUrl = otherForms(url)[form] ?? url;
      const right = getExpectedTwilioSignature("token", signedUrl, params);
      const signature =
        [right, right, right.slice(1), getExpectedTwilioSignature("other", url, params)][damage] ?? "";
      const official = validateRequest("token", signature, url, params);
      seen[official ? "good" : "bad"]++;
      expect(await isSignedByTwilio("token", signature, { url, fields: readFields(body) })).toBe(official);
    }),
    { numRuns: runs(1000, 20_000) },
  );
  // Or it would have agreed about nothing.
  expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(100);
});

/** https://www.twilio.com/docs/usage/security#explore-the-algorithm-yourself */
test("twilioSignature agrees with Twilio's documented example", () => {
  const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  const body =
    "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
  expect(twilioSignature("12345", url, readFields(body))).toBe("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
});
