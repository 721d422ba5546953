import * as v from "valibot";
import { describeApi } from "../../../src/gateway/describe-api.ts";
import { mutateJson } from "../mutate.ts";
import type { Random } from "../random.ts";
import { askWrongly, type Surface } from "../surface.ts";
import { token } from "../target.ts";
import { type JsonSchema, sampleOf } from "./sample.ts";

const AnySchema = v.custom<JsonSchema>((value) => typeof value === "object" && value !== null);
const Content = v.looseObject({ "application/json": v.optional(v.looseObject({ schema: AnySchema })) });
const Described = v.looseObject({
  parameters: v.optional(v.array(v.looseObject({ name: v.string(), in: v.string(), schema: AnySchema })), []),
  requestBody: v.optional(v.looseObject({ content: Content })),
});
const Document = v.looseObject({ paths: v.record(v.string(), v.record(v.string(), v.unknown())) });
const methodNames: ReadonlySet<string> = new Set(["get", "put", "post", "delete"]);

const Asked = v.object({ method: v.string(), path: v.string(), body: v.optional(v.unknown()) });

interface Way {
  readonly method: string;
  readonly path: string;
  readonly described: v.InferOutput<typeof Described>;
}

function readWays(): readonly Way[] {
  const { paths } = v.parse(Document, describeApi("fuzz"));
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([name]) => methodNames.has(name))
      .map(([name, way]) => ({ method: name.toUpperCase(), path, described: v.parse(Described, way) })),
  );
}
let known: readonly Way[] | undefined;

function odd(schema: JsonSchema, random: Random): unknown {
  const value = sampleOf(schema, random);
  return random.chance(0.4) ? mutateJson(value, random) : value;
}

const inAddress = (value: unknown) =>
  encodeURIComponent(
    String(typeof value === "object" ? JSON.stringify(value) : value)
      .toWellFormed()
      .slice(0, 3000),
  );

/** Every operation of the OpenAPI document, with parameters and bodies that are nearly what it takes. */
export const operations: Surface = {
  name: "operations",
  atOnce: 3,
  make(random) {
    const way = random.pick((known ??= readWays()));
    if (way === undefined) throw new Error("The document of the API names no operation.");
    const { parameters, requestBody } = way.described;
    let path = way.path;
    const query: string[] = [];
    for (const { name, in: where, schema } of parameters) {
      const value = inAddress(odd(schema, random));
      if (where === "path") path = path.replace(`{${name}}`, value);
      else if (random.chance(0.5)) query.push(`${name}=${value}`);
    }
    const schema = requestBody?.content["application/json"]?.schema;
    const body = schema === undefined ? undefined : mutateJson(sampleOf(schema, random), random);
    const asked = { method: way.method, path: [path, ...query].join(query.length > 0 ? "?" : ""), body };
    return Buffer.from(JSON.stringify(asked));
  },
  give(input, target) {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(input).toString("utf8"));
    } catch {
      return Promise.resolve(undefined);
    }
    const asked = v.safeParse(Asked, json);
    if (!asked.success || !/^\/[^\s]*$/.test(asked.output.path)) return Promise.resolve(undefined);
    const { method, path, body } = asked.output;
    return askWrongly(target, path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && method !== "GET" && { body: JSON.stringify(body) }),
    });
  },
};
