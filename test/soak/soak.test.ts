import { expect, test } from "bun:test";
import { runScript } from "../helpers/run-script.ts";

test("soak loses and doubles nothing in twenty seconds of load over every door, with faults", async () => {
  const args = ["--seconds", "20", "--seed", "7"];
  const { stdout: told, stderr, code } = await runScript("soak.ts", args);
  expect(told + stderr).toContain("nothing was wrong");
  expect(code).toBe(0);
  expect(told).toMatch(/^lost 0, doubled 0,/m);
  expect(told).toMatch(/^accepted [1-9]\d\d/m);
  expect(told).toMatch(/; [1-9]\d* kills$/m);
}, 240_000);
