import { expect, test } from "bun:test";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { time } from "../../src/tools/time.ts";
import { runCall } from "../sandbox/workspace.ts";

const sandbox = createSandbox({
  tools: [time],
  lend: { time: () => ({ now: () => Date.UTC(2026, 0, 5, 14, 3, 22) }) },
  timeoutMs: 5000,
  timeoutMaxMs: 5000,
});
const call = (input: object) => runCall(sandbox.prepare("time", JSON.stringify(input)));

test("time tells the time in UTC, or in a zone", async () => {
  expect((await call({})).text).toBe("Mon, 05 Jan 2026 14:03:22 (UTC)\nISO 8601: 2026-01-05T14:03:22.000Z");
  const berlin = await call({ zone: "Europe/Berlin" });
  expect(berlin.text).toStartWith("Monday");
  expect(berlin.text).toContain("15:03:22");
});

test("time refuses a zone that does not exist, saying what would do", async () => {
  const result = await call({ zone: "Mars/Base" });
  expect(result).toMatchObject({
    status: "error",
    text: expect.stringContaining("use an IANA name like Europe/Berlin"),
  });
});
