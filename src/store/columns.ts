import * as v from "valibot";
import type { Row } from "./tx.ts";

const isWhole = (value: unknown) =>
  typeof value === "number" ||
  typeof value === "bigint" ||
  (typeof value === "string" && /^-?\d+$/.test(value));

/** A whole number. PostgreSQL hands big ones out as text; one that JavaScript cannot hold exactly is refused. */
export const int = v.pipe(
  v.custom<number | bigint | string>(isWhole, "Expected a whole number."),
  v.transform(Number),
  v.safeInteger(),
);

/** A column that may be null, which is left out of our own records. */
export const maybeText = v.pipe(
  v.nullable(v.string()),
  v.transform((text) => text ?? undefined),
);
export const maybeInt = v.pipe(
  v.nullable(int),
  v.transform((number) => number ?? undefined),
);

/** The first of the rows by its schema, when there is one. */
export const first = <Schema extends v.GenericSchema<unknown, unknown>>(
  schema: Schema,
  rows: readonly Row[],
): v.InferOutput<Schema> | undefined => (rows[0] === undefined ? undefined : v.parse(schema, rows[0]));

export const every = <Schema extends v.GenericSchema<unknown, unknown>>(
  schema: Schema,
  rows: readonly Row[],
): v.InferOutput<Schema>[] => rows.map((row) => v.parse(schema, row));
