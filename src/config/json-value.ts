import * as v from "valibot";

/**
 * JSON that fits a schema. What is wrong is told by its place and what is expected there, never by its value, which may
 * hold a secret. `form` shows how it should look.
 */
export const jsonOf = <Output>(
  schema: v.GenericSchema<unknown, Output>,
  form: string,
): v.GenericSchema<string, Output> =>
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): Output => {
      const read = v.safeParse(schema, parse(dataset.value.trim()));
      if (read.success) return read.output;
      const [issue] = read.issues;
      const place = (issue.path ?? []).map(({ key }) => String(key)).join(".");
      // A message of our own says what is allowed; one of the library would tell the value.
      const why = issue.type === "check" || issue.type === "regex" ? ` (${issue.message})` : "";
      addIssue({ message: `Expected ${form}${place === "" ? "" : `; look at ${place}`}${why}` });
      return NEVER;
    }),
  );

/** Undefined for an empty text, and null for what is no JSON: no schema of ours takes that. */
function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return null;
  }
}
