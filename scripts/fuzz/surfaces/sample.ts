import type { Random } from "../random.ts";

/** The part of JSON schema that our own documents use. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minimum?: number;
}

/** Words that mean something somewhere. */
const words: readonly [string, ...string[]] = ["fuzz", "a", "root", "user", "hello", "* * * * *", "UTC", "b"];

/** Something that the schema takes, most of the time. */
export function sampleOf(schema: JsonSchema, random: Random): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  const one = random.pick(schema.anyOf ?? schema.oneOf ?? []);
  if (one !== undefined) return sampleOf(one, random);
  switch (schema.type) {
    case "string":
      return random.pick(words);
    case "number":
    case "integer":
      return (schema.minimum ?? 0) + random.below(3);
    case "boolean":
      return random.chance(0.5);
    case "array":
      return Array.from({ length: random.below(3) }, () => sampleOf(schema.items ?? {}, random));
    case "null":
      return null;
    default: {
      const given = Object.entries(schema.properties ?? {}).filter(() => random.chance(0.8));
      return Object.fromEntries(given.map(([name, each]) => [name, sampleOf(each, random)]));
    }
  }
}
