import { AppError } from "../../errors.ts";
import type { BrowserEngine } from "./browser-engine.ts";
import { canBrowse } from "./browser-page.ts";
import { createTabs } from "./browser-tabs.ts";
import type { Egress } from "../net/egress.ts";
import type { Programs } from "../processes/programs.ts";
import type { Lend } from "../sandbox.ts";

export interface BrowserSettings {
  readonly allowBrowserScript: boolean;
  /** Chromium or Chrome, absolute; found when left out. */
  readonly browserPath: string | undefined;
  /** DevTools of a running browser, instead of one of our own. */
  readonly browserCdpUrl: string | undefined;
  readonly browserIdleMs: number;
  /** What the processes of one call may hold; a browser with the tabs of several sessions twice that. */
  readonly processMemoryBytes: number;
  readonly sandbox: "auto" | "required" | "none";
}

export interface BrowserParts {
  readonly programs: Programs;
  readonly egress: Egress;
}

export interface LentBrowser {
  readonly lend: NonNullable<Lend["browse"]>;
  /** Why it will not start here, with the fix. */
  readonly warnings: readonly string[];
  /** Ends the browser and all that it started. */
  close(): Promise<void>;
}

/** A browser of our own starts in the sandbox of processes, as a user of its own, or not at all. */
function warningsOf(
  { browserCdpUrl, sandbox }: BrowserSettings,
  { works, text, warning }: Programs["host"],
): string[] {
  if (browserCdpUrl !== undefined || sandbox === "none" || (works && warning === undefined)) return [];
  const why = works ? "it is not started as root" : `there is no sandbox for it (${text})`;
  return [
    `\`browser\` is granted but will not start: ${why}. Give the workspace to another user (chown) or set OPENCLAW_SANDBOX_USER, name a running browser in OPENCLAW_BROWSER_CDP_URL, or set OPENCLAW_SANDBOX=none.`,
  ];
}

/** The browser for tools. It starts, and Playwright is loaded, when the first page is opened. */
export function lendBrowser(settings: BrowserSettings, { programs, egress }: BrowserParts): LentBrowser {
  const { allowBrowserScript: allowScript, browserCdpUrl: cdpUrl, browserPath: path } = settings;
  let isClosed = false;

  async function start(): Promise<BrowserEngine> {
    if (isClosed) throw new AppError("unavailable", "Cannot start the browser: the server is stopping.");
    if (cdpUrl !== undefined) {
      const { connectBrowser } = await import("./browser-remote.ts");
      return connectBrowser(cdpUrl, egress);
    }
    // Only its port is wanted here: each session gets a pass of its own.
    const pass = await egress.pass({ turnId: "", callId: "", principal: "" }, AbortSignal.timeout(5000));
    pass.release();
    const { startBrowser } = await import("./browser-engine.ts");
    return startBrowser({
      programs,
      proxyPort: pass.port,
      path,
      memoryBytes: 2 * settings.processMemoryBytes,
    });
  }

  const tabs = createTabs({ start, egress, idleMs: settings.browserIdleMs });
  return {
    warnings: warningsOf(settings, programs.host),
    lend: (caller, signal) =>
      canBrowse(
        { allowScript, find: () => tabs.find(caller), open: () => tabs.open(caller, signal) },
        signal,
      ),
    async close() {
      isClosed = true;
      await tabs.close();
    },
  };
}
