import * as v from "valibot";
import { AppError } from "../errors.ts";

const longestMessage = 300;

/** What comes from outside, by its schema. Throws `bad_request` naming the field and what is allowed there. */
export function check<Schema extends v.GenericSchema<unknown, unknown>>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const param = v.getDotPath(issue) ?? undefined;
  const message = `${param === undefined ? "" : `${param}: `}${issue.message}`;
  // A message of valibot quotes what it got, however long that is.
  throw new AppError("bad_request", message.slice(0, longestMessage), param === undefined ? {} : { param });
}
