import * as v from "valibot";
import { list } from "./values.ts";

/** Schemas of what OpenTelemetry writes in its own way (https://opentelemetry.io/docs/specs/otel/configuration/). */

const decode = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const isPair = (pair: string) => /^[^\s=]+\s*=/.test(pair);

/** `key=value,key=value`, values percent-encoded, by key. */
export const pairs = v.pipe(
  list,
  v.check((items) => items.every(isPair), "Expected key=value pairs separated by commas"),
  v.transform((items): Readonly<Record<string, string>> => {
    const entries = items.map((item): [string, string] => {
      const at = item.indexOf("=");
      return [decode(item.slice(0, at).trim()), decode(item.slice(at + 1).trim())];
    });
    return Object.fromEntries(entries);
  }),
);

const isHeader = ([name, value]: readonly [string, string]) =>
  /^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value);

/** The same as headers of HTTP. */
export const headers = v.pipe(
  pairs,
  v.check(
    (all) => Object.entries(all).every(isHeader),
    "Expected names and values that HTTP headers may have, as name=value separated by commas",
  ),
);

const logLevels = ["debug", "info", "warn", "error"] as const;
const Level = v.picklist(logLevels);

/** `info,llm=debug`: the level of everything, and those of areas. */
export const levelsOf = <const Areas extends readonly string[]>(areas: Areas) => {
  const said = `Expected ${logLevels.slice(0, -1).join(", ")} or error, and for single areas area=level behind it; areas are ${areas.join(", ")}`;
  const isItem = (item: string) => {
    const [name = "", level] = item.split("=").map((part) => part.trim());
    return level === undefined ? v.is(Level, name) : areas.includes(name) && v.is(Level, level);
  };
  return v.pipe(
    v.string(),
    v.toLowerCase(),
    list,
    v.check((items) => items.length > 0 && items.every(isItem), `${said}`),
    v.check((items) => items.filter((item) => !item.includes("=")).length <= 1, `${said}`),
    v.transform((items) => {
      const own: Record<string, v.InferOutput<typeof Level>> = {};
      let all: v.InferOutput<typeof Level> = "info";
      for (const item of items) {
        const [name = "", level] = item.split("=").map((part) => part.trim());
        if (level === undefined) all = v.parse(Level, name);
        else own[name] = v.parse(Level, level);
      }
      return { all, areas: own };
    }),
  );
};
