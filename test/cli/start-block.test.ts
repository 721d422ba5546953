import { expect, test } from "bun:test";
import { startBlock } from "../../src/cli/start-block.ts";
import { loadSettings } from "../../src/config/load.ts";

function blockOf(environment: Record<string, string>, made: { madeToken?: string } = {}) {
  const { settings, notes } = loadSettings({ HOME: "/home/x", ...environment }, "/");
  if (!settings) throw new Error("There are no settings.");
  const app = {
    dataDir: "/data",
    model: "gpt-4o (openai)",
    tools: ["time", "read_file"],
    channels: [],
    warnings: ["Mend this."],
    ...made,
  };
  return startBlock({ app, url: "http://127.0.0.1:1", settings, notes, advice: ["A local model runs."] });
}

test("startBlock says where the server is, what answers, what is on and what to mend", () => {
  const block = blockOf({ OPENCLAW_PROT: "1", OPENCLAW_ALLOWED_READ_ROOTS: "/a,/b" });
  expect(block.split("\n")).toEqual([
    expect.stringMatching(/^openclaw \d+\.\d+\.\d+$/),
    "  chat     http://127.0.0.1:1/chat",
    "  api      http://127.0.0.1:1/v1",
    "  model    gpt-4o (openai)",
    "  tools    time, read_file (autonomy: supervised)",
    "  reads    /a, /b",
    "  data     /data",
    "  hint     A local model runs.",
    "  warning  Mend this.",
    "  warning  OPENCLAW_PROT is no setting: did you mean OPENCLAW_PORT?",
  ]);
});

test("startBlock prints the line that grants a workspace which grants nothing", () => {
  expect(blockOf({ OPENCLAW_WORKSPACE: "/work" })).toContain("OPENCLAW_ALLOWED_READ_ROOTS=.");
  expect(blockOf({ OPENCLAW_WORKSPACE: "/work", OPENCLAW_ALLOWED_READ_ROOTS: "." })).not.toContain(
    "grants nothing",
  );
});

test("startBlock shows a token when this start made one, and never the operator's own", () => {
  expect(blockOf({}, { madeToken: "made-token" })).toContain("made-token");
  expect(blockOf({ OPENCLAW_AUTH_TOKEN: "the-operators-own" })).not.toContain("the-operators-own");
});
