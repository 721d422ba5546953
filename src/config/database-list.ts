import * as v from "valibot";
import { jsonOf } from "./json-value.ts";

const protocols: Readonly<Record<string, "postgres" | "mysql">> = {
  "postgres:": "postgres",
  "postgresql:": "postgres",
  "mysql:": "mysql",
  "mariadb:": "mysql",
};

const protocolOf = (url: string) => (URL.canParse(url) ? protocols[new URL(url).protocol] : undefined);

const Address = v.pipe(
  v.string(),
  v.maxLength(2000),
  v.check((url) => protocolOf(url) !== undefined, "a postgres://… or mysql://… address"),
);

const Connection = v.pipe(
  v.union([Address, v.strictObject({ url: Address, write: v.optional(v.boolean(), false) })]),
  v.transform((given) => {
    const { url, write } = typeof given === "string" ? { url: given, write: false } : given;
    return { url, write, kind: protocolOf(url) ?? "postgres" };
  }),
);

const Name = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]{0,63}$/i, "names of letters, digits, - and _, a letter first"),
);

/** `{ "<name>": "postgres://…" }`, or `{ "<name>": { "url", "write" } }` for one that may be changed. */
export const databaseList = jsonOf(
  v.optional(v.record(Name, Connection), {}),
  'JSON such as {"sales": {"url": "postgres://user:password@host/sales", "write": true}} or {"sales": "mysql://…"}',
);
