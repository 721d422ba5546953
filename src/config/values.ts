import * as v from "valibot";

/** Schemas from the text of a variable to its value; each message says what is allowed. */

export const text = v.pipe(v.string(), v.trim(), v.nonEmpty("Expected a text that is not empty"));

/** One of a few words, in any case. */
export const choice = <const Words extends readonly string[]>(words: Words) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.toLowerCase(),
    v.picklist(words, `Expected ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`),
  );

export const flag = v.pipe(
  v.string(),
  v.trim(),
  v.toLowerCase(),
  v.picklist(["true", "false", "1", "0", "yes", "no", "on", "off"], "Expected true or false"),
  v.transform((word) => word === "true" || word === "1" || word === "yes" || word === "on"),
);

/** A whole number of at least `from` and at most `to`. */
export const whole = (from: number, to = Number.MAX_SAFE_INTEGER) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(
      /^\d+$/,
      `Expected a whole number from ${from}${to === Number.MAX_SAFE_INTEGER ? "" : ` to ${to}`}`,
    ),
    v.transform(Number),
    v.check((n) => n >= from && n <= to, `Expected a whole number from ${from} to ${to}`),
  );

/** A share of something, as a decimal number from 0 to `most`. */
export const share = (most: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\d+(\.\d+)?$/, `Expected a number from 0 to ${most}, such as 0.5`),
    v.transform(Number),
    v.check((n) => n <= most, `Expected a number from 0 to ${most}`),
  );

/** Decimal seconds as milliseconds, at most `most` and at least `least` of them. */
export const seconds = (most = 86_400, least = 0) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^\d+(\.\d+)?$/, "Expected seconds, decimals allowed"),
    v.transform((digits) => Math.round(Number(digits) * 1000)),
    v.check((ms) => ms <= most * 1000, `Expected at most ${most} seconds`),
    v.check((ms) => ms >= least * 1000, `Expected at least ${least} seconds`),
  );

/** A time-out that ends what takes too long: none would end everything at once. */
export const timeout = seconds(86_400, 0.01);

const dayMs = 86_400_000;

/** Days, decimals allowed, as milliseconds. */
export const days = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^\d+(\.\d+)?$/, "Expected days, decimals allowed"),
  v.transform((digits) => Math.round(Number(digits) * dayMs)),
  v.check((ms) => ms <= 36_500 * dayMs, "Expected at most 36500 days"),
);

/** Words separated by commas; empty ones are dropped. */
export const list = v.pipe(
  v.string(),
  v.transform((joined) =>
    joined
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
);

/** A few of some words, separated by commas, each once. */
export const words = <const Words extends readonly string[]>(allowed: Words) =>
  v.pipe(
    list,
    v.transform((items) => [...new Set(items.map((item) => item.toLowerCase()))]),
    v.array(v.picklist(allowed, `Expected some of ${allowed.join(", ")}, separated by commas`)),
  );

export const httpUrl = v.pipe(
  v.string(),
  v.trim(),
  v.url("Expected an http or https URL"),
  v.check((url) => /^https?:\/\//i.test(url), "Expected an http or https URL"),
  v.transform((url) => url.replace(/\/+$/, "")),
);

export const port = whole(0, 65_535);

/** `name=token,name=token` as a list of pairs. */
export const namedTokens = v.pipe(
  list,
  v.check(
    (pairs) => pairs.every((pair) => /^[A-Za-z0-9_.-]{1,64}=\S{16,}$/.test(pair)),
    "Expected name=token pairs separated by commas, each token of at least 16 characters",
  ),
  v.transform((pairs) =>
    pairs.map((pair) => ({
      name: pair.slice(0, pair.indexOf("=")),
      token: pair.slice(pair.indexOf("=") + 1),
    })),
  ),
  v.check(
    (pairs) =>
      new Set(pairs.map((pair) => pair.name)).size === pairs.length &&
      pairs.every((p) => p.name !== "operator"),
    "Expected names that differ from each other and from `operator`",
  ),
);

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const isIpv6 = (address: string) => address.includes(":") && URL.canParse(`http://[${address}]`);

/** True for 127.0.0.0/8, ::1 and `localhost`: what only this machine reaches. */
export const isLoopback = (address: string) =>
  address === "localhost" || address === "::1" || (ipv4.test(address) && address.startsWith("127."));

/** An address to listen on; brackets around an IPv6 one are dropped. */
export const listenAddress = v.pipe(
  text,
  v.transform((address) => address.replace(/^\[(.*)\]$/, "$1").toLowerCase()),
  v.check(
    (address) => address === "localhost" || ipv4.test(address) || isIpv6(address),
    "Expected an IP address such as 127.0.0.1, 0.0.0.0 or ::1, or localhost",
  ),
);

const isAddressRange = (range: string) => {
  const [address = "", bits, ...rest] = range.split("/");
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  return ipv4.test(address) ? Number(bits ?? 0) <= 32 : isIpv6(address) && Number(bits ?? 0) <= 128;
};

export const addressRanges = v.pipe(
  list,
  v.check(
    (ranges) => ranges.every(isAddressRange),
    "Expected IP addresses or CIDRs such as 10.0.0.0/8, separated by commas",
  ),
);

const isOrigin = (origin: string) => /^https?:\/\/[^/?#@]+$/i.test(origin) && URL.canParse(origin);

/** Web origins as browsers send them. */
export const origins = v.pipe(
  list,
  v.transform((items) => items.map((item) => item.replace(/\/$/, ""))),
  v.check(
    (items) => items.every(isOrigin),
    "Expected origins such as https://example.com, separated by commas",
  ),
  v.transform((items) => items.map((item) => new URL(item).origin)),
);

/** Dollars, as whole millionths of one. */
export const usd = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^\d{1,9}(\.\d{1,6})?$/, "Expected US dollars, such as 5 or 0.50"),
  v.transform((dollars) => Math.round(Number(dollars) * 1_000_000)),
);

const isNamedCount = (pair: string) => /^[^\s=]{1,256}=\d{1,15}$/.test(pair);

/** `name=number,name=number` by name. */
export const namedCounts = v.pipe(
  list,
  v.check((pairs) => pairs.every(isNamedCount), "Expected name=number pairs separated by commas"),
  v.transform((pairs): Readonly<Record<string, number>> => {
    const entries = pairs.map((pair): [string, number] => {
      const at = pair.lastIndexOf("=");
      return [pair.slice(0, at), Number(pair.slice(at + 1))];
    });
    return Object.fromEntries(entries);
  }),
);

const perMillion = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(1_000_000));

/** Prices of models, in dollars per million tokens. */
export const prices = v.pipe(
  v.string(),
  v.parseJson(undefined, "Expected JSON"),
  v.record(
    v.string(),
    v.strictObject({ input: perMillion, cached: v.optional(perMillion), output: perMillion }),
    'Expected JSON such as {"gpt-4o":{"input":2.5,"cached":1.25,"output":10}}',
  ),
);
