import { expect, test } from "bun:test";
import { join } from "node:path";
import { chmod, writeFile } from "node:fs/promises";
import { loadSettings } from "../../src/config/load.ts";
import { inspectBrowser } from "../../src/doctor/browser.ts";
import { inspectPort } from "../../src/doctor/port.ts";
import { temporaryFolder } from "../helpers/executable.ts";
import { startInProcess } from "../helpers/in-process.ts";

function settingsOf(env: Record<string, string>) {
  const { settings, problems } = loadSettings({ HOME: "/home/x", ...env }, "/");
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  return settings;
}

const portOf = (url: string) => new URL(url).port;

test("inspectPort passes a port that is free, and leaves it free", async () => {
  const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const OPENCLAW_PORT = String(free.port);
  await free.stop(true);
  for (let i = 0; i < 2; i++)
    expect(await inspectPort(settingsOf({ OPENCLAW_PORT }))).toEqual({
      state: "ok",
      text: `127.0.0.1:${OPENCLAW_PORT} is free`,
    });
});

test("inspectPort passes a port that an openclaw has, on every address too", async () => {
  await using server = await startInProcess({});
  const found = { state: "ok", text: expect.stringContaining("an openclaw server answers there") };
  const OPENCLAW_PORT = portOf(server.url);
  expect(await inspectPort(settingsOf({ OPENCLAW_PORT }))).toMatchObject(found);
  expect(await inspectPort(settingsOf({ OPENCLAW_PORT, OPENCLAW_BIND_ADDRESS: "0.0.0.0" }))).toMatchObject(
    found,
  );
});

test("inspectPort fails for the port of another program, and for an address that is none of this machine", async () => {
  await using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  expect(await inspectPort(settingsOf({ OPENCLAW_PORT: String(other.port) }))).toMatchObject({
    state: "fail",
    text: expect.stringContaining(`127.0.0.1:${other.port} is taken by another program`),
    fix: expect.stringContaining("OPENCLAW_PORT"),
  });
  expect(await inspectPort(settingsOf({ OPENCLAW_BIND_ADDRESS: "192.0.2.7" }))).toMatchObject({
    state: "fail",
    fix: expect.stringContaining("OPENCLAW_BIND_ADDRESS"),
  });
});

test("inspectBrowser fails for a path with no program at it, only where a browser is granted", async () => {
  await using folder = await temporaryFolder();
  const OPENCLAW_BROWSER_PATH = join(folder.path, "chrome");
  const granted = { OPENCLAW_ALLOW_BROWSER: "true", OPENCLAW_BROWSER_PATH };
  expect((await inspectBrowser(settingsOf({ OPENCLAW_BROWSER_PATH }))).state).toBe("ok");
  expect(await inspectBrowser(settingsOf(granted))).toMatchObject({
    state: "fail",
    text: expect.stringContaining(OPENCLAW_BROWSER_PATH),
    fix: expect.stringContaining("OPENCLAW_BROWSER_PATH"),
  });
  await writeFile(OPENCLAW_BROWSER_PATH, "");
  expect((await inspectBrowser(settingsOf(granted))).state).toBe("fail");
  await chmod(OPENCLAW_BROWSER_PATH, 0o755);
  expect(await inspectBrowser(settingsOf(granted))).toEqual({
    state: "ok",
    text: `${OPENCLAW_BROWSER_PATH} (not started)`,
  });
  const remote = { OPENCLAW_ALLOW_BROWSER: "true", OPENCLAW_BROWSER_CDP_URL: "http://browser.example:9222" };
  expect((await inspectBrowser(settingsOf(remote))).text).not.toContain("browser.example");
});
