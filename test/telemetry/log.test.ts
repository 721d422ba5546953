import { afterAll, beforeEach, expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";
import { areas, type Line, llmLog, log, mirrorLog, setUpLog, turnsLog } from "../../src/telemetry/log.ts";

let written: string[] = [];
const sink = (line: string) => void written.push(line);
const settingsOf = (level: string) => {
  const { settings, problems } = loadSettings({ OPENCLAW_DATA_DIR: "/d", OPENCLAW_LOG_LEVEL: level }, "/");
  return settings?.telemetry.logLevel ?? problems.map(({ text }) => text).join();
};

beforeEach(() => {
  written = [];
});
afterAll(() => {
  mirrorLog(undefined);
  setUpLog({ level: "info", pretty: false, sink: () => {} });
});

test("setUpLog gives an area the level of its own, and all others that of everything", () => {
  setUpLog({ level: { all: "warn", areas: { llm: "debug" } }, pretty: false, sink });
  log.info("a");
  turnsLog.info("b");
  llmLog.debug("c");
  turnsLog.warn("d", { turn: "t1", session: "s1", trace: "0af7" });
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { level: "debug", area: "llm", message: "c" },
    { level: "warn", area: "turns", message: "d", turn: "t1", session: "s1", trace: "0af7" },
  ]);
});

test("OPENCLAW_LOG_LEVEL takes a level and levels of areas, and refuses what is neither", () => {
  expect(settingsOf("warn")).toEqual({ all: "warn", areas: {} });
  expect(settingsOf("Info, LLM=debug ,turns=error")).toEqual({
    all: "info",
    areas: { llm: "debug", turns: "error" },
  });
  expect(settingsOf("llm=debug")).toEqual({ all: "info", areas: { llm: "debug" } });
  for (const area of areas)
    expect(settingsOf(`${area}=warn`)).toEqual({ all: "info", areas: { [area]: "warn" } });
  for (const wrong of ["loud", "info,warn", "info,kitchen=debug", "llm=loud", ",", "toString=debug"])
    expect(settingsOf(wrong)).toContain("OPENCLAW_LOG_LEVEL");
});

test("mirrorLog hands on every line that is written, masked, also where people read along", () => {
  const lines: Line[] = [];
  for (const pretty of [false, true]) {
    setUpLog({ level: "info", pretty, sink });
    mirrorLog((line) => lines.push(line));
    log.info("hello", { token: "abc", error: new Error("sk-0123456789abcdef0123") });
    log.debug("nobody hears it");
  }
  expect(lines.length).toBe(2);
  for (const line of lines) {
    expect(line.level).toBe("info");
    expect(line.fields()).toMatchObject({ message: "hello", token: "***", error: "***" });
  }
});
