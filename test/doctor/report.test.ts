import { expect, test } from "bun:test";
import { report } from "../../src/doctor/report.ts";
import { loadSettings } from "../../src/config/load.ts";
import type { Patient } from "../../src/doctor/check.ts";

function aPatient(): Patient {
  const { settings, notes, sources } = loadSettings({ HOME: "/home/x" }, "/");
  if (!settings) throw new Error("There are no settings.");
  return { settings, notes, sources, version: "test", selfTest: async () => [] };
}

test("report counts a check that throws, or never ends, as failed, and goes on with the next", async () => {
  const findings = await report(
    [
      {
        id: "throws",
        run: () => {
          throw new Error("It broke.");
        },
      },
      { id: "hangs", run: () => new Promise(() => {}) },
      { id: "good", run: () => ({ state: "ok", text: "fine" }) },
    ],
    aPatient(),
    20,
  );
  expect(findings).toEqual([
    { id: "throws", state: "fail", text: "It broke.", fix: expect.any(String) },
    { id: "hangs", state: "fail", text: "It took longer than 20 ms.", fix: expect.any(String) },
    { id: "good", state: "ok", text: "fine" },
  ]);
});
