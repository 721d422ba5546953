import { expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clientToken, serverUrl } from "../../src/cli/server-address.ts";
import { loadSettings } from "../../src/config/load.ts";
import { temporaryFolder } from "../helpers/executable.ts";

function settingsOf(environment: Record<string, string>) {
  const { settings } = loadSettings({ HOME: "/home/x", ...environment }, "/");
  if (!settings) throw new Error("There are no settings.");
  return settings;
}

test("serverUrl is OPENCLAW_BASE_URL, else where the server of these settings listens", () => {
  expect(serverUrl(settingsOf({}))).toBe("http://127.0.0.1:18789");
  expect(serverUrl(settingsOf({ OPENCLAW_BIND_ADDRESS: "0.0.0.0", OPENCLAW_PORT: "80" }))).toBe(
    "http://127.0.0.1:80",
  );
  expect(serverUrl(settingsOf({ OPENCLAW_BIND_ADDRESS: "::1" }))).toBe("http://[::1]:18789");
  expect(serverUrl(settingsOf({ OPENCLAW_BASE_URL: "https://claw.example/" }))).toBe("https://claw.example");
});

test("clientToken is the operator's, else the one kept in the data folder, which never leaves this machine", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "data"));
  await writeFile(join(folder.path, "data/token"), "kept-token\n", { mode: 0o600 });
  const kept = settingsOf({ OPENCLAW_DATA_DIR: join(folder.path, "data") });

  expect(clientToken(kept, "http://127.0.0.1:18789")).toBe("kept-token");
  expect(clientToken(kept, "http://[::1]:18789")).toBe("kept-token");
  expect(clientToken(kept, "https://claw.example")).toBeUndefined();
  expect(clientToken(settingsOf({ OPENCLAW_DATA_DIR: folder.path }), "http://127.0.0.1:1")).toBeUndefined();

  await chmod(join(folder.path, "data/token"), 0o644);
  expect(() => clientToken(kept, "http://127.0.0.1:18789")).toThrow("others may open it (mode 644, not 600)");

  const given = settingsOf({ OPENCLAW_AUTH_TOKEN: "given-token" });
  expect(clientToken(given, "https://claw.example")).toBe("given-token");
});
