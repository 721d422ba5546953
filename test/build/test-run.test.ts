import { expect, test } from "bun:test";
import { readCounts } from "../../scripts/test-run.ts";

test("readCounts reads the whole run of a JUnit report, and counts skipped tests as failed", () => {
  const xml = `<?xml version="1.0"?>
<testsuites name="bun test" tests="10" assertions="30" failures="2" skipped="1" time="0.1">
  <testsuite name="a" tests="4" failures="2" skipped="0"></testsuite>
</testsuites>`;
  expect(readCounts(xml)).toEqual({ passed: 7, failed: 3 });
  expect(readCounts("")).toEqual({ passed: 0, failed: 0 });
});
