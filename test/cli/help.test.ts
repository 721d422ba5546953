import { grantedBy, settingsOf } from "../../src/sandbox/granted-by.ts";
import { tools } from "../../src/tools/index.ts";
import { expect, test } from "bun:test";
import { commands } from "../../src/cli/commands.ts";
import { helpText } from "../../src/cli/help.ts";
import { wrap } from "../../src/cli/wrap.ts";
import { settingRows } from "../../src/config/load.ts";

test("helpText names every command and every setting, in lines of at most 100 characters", () => {
  const help = helpText(commands, tools);
  for (const { usage } of commands) expect(help).toContain(usage);
  for (const { env } of settingRows()) expect(help).toContain(`\n  ${env} `);
  expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
});

test("helpText shows defaults but never one of a secret", () => {
  const help = helpText(commands, tools);
  expect(help).toMatch(/OPENCLAW_PORT +Port to listen on; 0 picks a free one\. Default: 18789\./);
  for (const row of settingRows().filter(({ secret }) => secret)) expect(row.fallback ?? "").toBe("");
});

test("wrap breaks at spaces, keeps every word and gives a long one its own line", () => {
  expect(wrap("a bb ccc dddd", 6)).toEqual(["a bb", "ccc", "dddd"]);
  expect(wrap("short andthisismuchlonger end", 8)).toEqual(["short", "andthisismuchlonger", "end"]);
  expect(wrap("", 10)).toEqual([""]);
});

test("helpText tells every tool, with the setting that grants it", () => {
  const help = helpText(commands, tools);
  for (const tool of tools) {
    expect(help).toContain(`  ${tool.name}`);
    for (const setting of settingsOf(tool)) expect(help).toContain(setting);
  }
});

test("grantedBy names settings that exist", () => {
  const known = settingRows().map(({ env }) => env);
  for (const setting of Object.values(grantedBy)) if (setting !== null) expect(known).toContain(setting);
});
