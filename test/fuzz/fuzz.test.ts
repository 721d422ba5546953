import { expect, test } from "bun:test";
import { runScript } from "../helpers/run-script.ts";

test("fuzz finds no crash, hang, stray error or 500 in twenty seconds of broken inputs at every way in", async () => {
  const args = ["--seconds", "20", "--seed", "7"];
  const { stdout: told, stderr, code } = await runScript("fuzz.ts", args);
  expect(told + stderr).toContain("no faults");
  expect(code).toBe(0);
  // Each way in was tried, or the test has tested nothing.
  for (const name of ["frames", "http", "operations", "sse", "webhooks", "cron", "pdfs", "settings"])
    expect(told).toMatch(new RegExp(`\\b${name} [1-9]\\d`));
}, 180_000);
