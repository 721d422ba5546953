import { expect, test } from "bun:test";
import { toJsonSchema } from "@valibot/to-json-schema";
import { JobSpec as Declared } from "../../src/config/job-list.ts";
import { JobSpec } from "../../src/store/job-spec.ts";

test("JobSpec is what OPENCLAW_JOBS declares", () => {
  const { additionalProperties: _, ...declared } = toJsonSchema(Declared, { errorMode: "ignore" });
  expect(toJsonSchema(JobSpec, { errorMode: "ignore" })).toEqual(declared);
});
