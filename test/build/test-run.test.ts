import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCounts, readFailures } from "../../scripts/test-run.ts";

test("readCounts reads the whole run of a JUnit report, and counts skipped tests as failed", () => {
  const xml = `<?xml version="1.0"?>
<testsuites name="bun test" tests="10" assertions="30" failures="2" skipped="1" time="0.1">
  <testsuite name="a" tests="4" failures="2" skipped="0"></testsuite>
</testsuites>`;
  expect(readCounts(xml)).toEqual({ passed: 7, failed: 3 });
  expect(readCounts("")).toEqual({ passed: 0, failed: 0 });
});

test("readFailures says what failed and why, as Bun reports it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "failures-"));
  try {
    const lines = [
      'import { describe, expect, test } from "bun:test";',
      'test("good", () => {});',
      'describe("a <b> & \\"c\\" > d", () => {',
      '  test("bad", () => expect("1 < 2").toMatch(/3/));',
      "});",
      'test("worse", async () => { throw new Error("boom & co"); });',
    ];
    await Bun.write(join(folder, "some.test.ts"), lines.join("\n"));
    const report = join(folder, "report.xml");
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    const child = Bun.spawn([process.execPath, "test", ...reporter], {
      cwd: folder,
      stdout: "ignore",
      stderr: "ignore",
    });
    expect(await child.exited).toBe(1);
    const failures = readFailures(await Bun.file(report).text());
    expect(failures).toEqual([
      expect.stringMatching(/^FAILED: bad \(some\.test\.ts\)\n[^]*Received: "1 < 2"/),
      expect.stringMatching(/^FAILED: worse \(some\.test\.ts\)\nError: boom & co/),
    ]);
    expect(readFailures(await Bun.file(report).text(), 5)[1]).toBe("FAILED: worse (some.test.ts)\nError");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
