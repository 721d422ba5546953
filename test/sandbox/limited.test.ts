import { expect, test } from "bun:test";
import { limited } from "../../src/sandbox/limited.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { tools } from "../../src/tools/index.ts";

const sandbox = createSandbox({
  tools,
  lend: { time: () => ({ now: () => 0 }), read: () => undefined as never },
  timeoutMs: 1000,
  timeoutMaxMs: 1000,
});

test("limited shows and runs the tools of a turn, and denies every other one", () => {
  const view = limited(sandbox, ["time", "write_file", "no_such"]);
  expect(view.names).toEqual(["time"]);
  expect(view.offers.map(({ name }) => name)).toEqual(["time"]);
  expect(view.describe().map(({ name }) => name)).toEqual(["time"]);
  expect(view.prepare("time", "{}").ok).toBe(true);
  for (const name of ["read_file", "shell", "made_up"])
    expect(view.prepare(name, "{}")).toMatchObject({
      ok: false,
      result: { status: "denied", reason: "not_granted", text: expect.stringContaining("There are: time.") },
    });
  // What it names and nobody granted is still not there.
  expect(view.prepare("write_file", "{}").ok).toBe(false);
  expect(view.prepare("no_such", "{}").ok).toBe(false);
  expect(limited(sandbox, []).prepare("time", "{}").ok).toBe(false);
  expect(limited(sandbox, undefined)).toBe(sandbox);
});
