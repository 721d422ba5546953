import { accessSync, constants } from "node:fs";
import type { Settings } from "../config/settings.ts";
import type { Finding } from "./check.ts";

/** Whether the browser that is granted is there; it is not started. Throws, with what to do, when none is found. */
export async function inspectBrowser({ sandbox }: Pick<Settings, "sandbox">): Promise<Finding> {
  if (!sandbox.allowBrowser) return { state: "ok", text: "none is granted" };
  if (sandbox.browserCdpUrl !== undefined)
    return { state: "ok", text: "the running one of OPENCLAW_BROWSER_CDP_URL (not asked)" };
  const { findBrowser } = await import("../sandbox/browser/browser-engine.ts");
  const { findProgram } = await import("../sandbox/processes/host-sandbox.ts");
  const path = await findBrowser(sandbox.browserPath, async (name) => findProgram(name));
  try {
    accessSync(path, constants.X_OK);
    return { state: "ok", text: `${path} (not started)` };
  } catch {
    return {
      state: "fail",
      text: `There is no program at ${path} that this user may start.`,
      fix: "Install Chromium or Chrome there, correct OPENCLAW_BROWSER_PATH, or leave it out to have one found.",
    };
  }
}
