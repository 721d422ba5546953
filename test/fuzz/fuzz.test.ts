import { expect, test } from "bun:test";
import { join } from "node:path";

const script = join(import.meta.dir, "../../scripts/fuzz.ts");

test("fuzz finds no crash, hang, stray error or 500 in twenty seconds of broken inputs at every way in", async () => {
  const child = Bun.spawn([process.execPath, script, "--seconds", "20", "--seed", "7"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [told, complained] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(told + complained).toContain("no faults");
  expect(await child.exited).toBe(0);
  // Each way in was tried, or the test has tested nothing.
  for (const name of ["frames", "http", "operations", "sse", "webhooks", "cron", "pdfs", "settings"])
    expect(told).toMatch(new RegExp(`\\b${name} [1-9]\\d`));
}, 180_000);
