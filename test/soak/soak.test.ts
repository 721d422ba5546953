import { expect, test } from "bun:test";
import { join } from "node:path";

const script = join(import.meta.dir, "../../scripts/soak.ts");

test("soak loses and doubles nothing in twenty seconds of load over every door, with faults", async () => {
  const child = Bun.spawn([process.execPath, script, "--seconds", "20", "--seed", "7"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [told, complained] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(told + complained).toContain("nothing was wrong");
  expect(await child.exited).toBe(0);
  expect(told).toMatch(/^lost 0, doubled 0,/m);
  expect(told).toMatch(/^accepted [1-9]\d\d/m);
  expect(told).toMatch(/; [1-9]\d* kills$/m);
}, 240_000);
