import type { Browser } from "playwright-core";
import { AppError } from "../../errors.ts";
import type { BrowserEngine } from "./browser-engine.ts";
import { openTab } from "./browser-tab.ts";
import type { Egress } from "../net/egress.ts";

const connectMs = 10_000;

/**
 * Whether pages of this browser really go through our proxy: one is sent where the proxy leads nobody (to itself), and
 * the proxy must have seen it.
 */
async function usesProxy(browser: Browser, egress: Egress): Promise<boolean> {
  const signal = AbortSignal.timeout(connectMs);
  const pass = await egress.pass({ turnId: "", callId: "", principal: "" }, signal);
  const tab = await openTab(browser, pass);
  try {
    const address = `http://127.0.0.1:${pass.port}/`;
    await tab.act("try the proxy", signal, async (page) => (await page.goto(address)) ?? {}).catch(() => {});
    return pass.refusals.length > 0;
  } finally {
    await tab.close();
  }
}

/** Connects to a running browser by its DevTools. Refused when its pages do not take a proxy of ours. */
export async function connectBrowser(cdpUrl: string, egress: Egress): Promise<BrowserEngine> {
  const { chromium } = await import("playwright-core");
  const fault = (why: string, cause?: unknown) =>
    new AppError("unavailable", `Cannot use the browser of OPENCLAW_BROWSER_CDP_URL: ${why}.`, { cause });
  let browser: Browser;
  try {
    browser = await chromium.connectOverCDP(cdpUrl, { timeout: connectMs });
  } catch (error) {
    // Its message holds the address, which may hold a key.
    throw fault("it does not answer at this address, or is no Chromium", error);
  }
  const isProxied = await usesProxy(browser, egress).catch(() => false);
  if (isProxied) return { browser, end: () => browser.close() };
  await browser.close();
  throw fault(
    "its pages do not go through the egress proxy of this server, so nothing would limit where they go. It must run on this machine and take a proxy per context, as Chromium does",
  );
}
