import type { Frame, Locator, Page, Response } from "playwright-core";
import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { isNetworkError } from "./browser-errors.ts";
import type { Tab } from "./browser-tab.ts";
import type { CanBrowse, PageState } from "../can-web.ts";
import type { EgressPass } from "../net/egress.ts";
import { shown } from "../paths.ts";
import { readWebUrl } from "../net/web-url.ts";

/** How long one act in a page may take: less than a call, so that its own reason is told. */
const actMs = 8000;
const loadMs = 25_000;
const settleMs = 150;
const longestScreenshot = 300 * 1024;
const reference = /^\[?(?:ref=)?((?:f\d+)?e\d+)\]?$/;

/** What a selector stands for. A reference that is not there never comes back: it is not waited for. */
async function at(page: Page, selector: string): Promise<Locator> {
  const [, name] = reference.exec(selector.trim()) ?? [];
  if (name === undefined) return page.locator(selector);
  const found = page.locator(`aria-ref=${name}`);
  if ((await found.count()) > 0) return found;
  throw new AppError(
    "bad_request",
    `There is no reference ${name} on the page any more. Take a new snapshot.`,
  );
}

/** An address as a page is opened by it; its `#part` says where in it. */
function readAddress(address: string): string {
  if (address.trim() === "about:blank") return "about:blank";
  const url = readWebUrl(address);
  url.hash = new URL(address.trim()).hash;
  return url.href;
}

const shortAnswer = 2000;

/** The status of an answer. Throws when the proxy gave it, to refuse: over plain HTTP that looks like a page. */
async function statusOf(response: Response | null, pass: EgressPass): Promise<{ status?: number }> {
  if (response === null) return {};
  const status = response.status();
  if (status === 403 && Number(response.headers()["content-length"] ?? shortAnswer) < shortAnswer) {
    const said = (await response.text().catch(() => "")).trim();
    if (pass.refusals.includes(said))
      throw new AppError("forbidden", `Cannot open the page. Refused: ${said}`);
  }
  return { status };
}

/** What a page says of itself is checked like anything from outside. */
const Excerpt = v.object({ text: v.string(), cut: v.boolean() });

const part = (text: string, from: number, length: number) => ({
  text: text.slice(from, from + length).toWellFormed(),
  cut: text.length > from + length,
});

/** Opens an address. The error page of one that fails comes a moment later, and would get in the way of the next. */
async function load(page: Page, url: string): Promise<Response | null> {
  const errorPage = Promise.withResolvers<void>();
  const look = (frame: Frame) => {
    if (frame === page.mainFrame() && frame.url().startsWith("chrome-error:")) errorPage.resolve();
  };
  page.on("framenavigated", look);
  try {
    return await page.goto(url, { waitUntil: "domcontentloaded", timeout: loadMs });
  } catch (error) {
    if (isNetworkError(error)) await Promise.race([errorPage.promise, Bun.sleep(1000)]);
    throw error;
  } finally {
    page.off("framenavigated", look);
  }
}

/** What an act sets off, a page or a window, begins a moment later: what follows should see that. */
async function settled(page: Page): Promise<object> {
  await Bun.sleep(settleMs);
  await page.waitForLoadState("domcontentloaded", { timeout: actMs }).catch(() => undefined);
  return {};
}

/** JPEG in the quality that keeps it small enough to be sent to a model. */
async function picture(page: Page): Promise<{ bytes: Uint8Array }> {
  for (const quality of [70, 40, 15]) {
    const bytes = await page.screenshot({ type: "jpeg", quality, timeout: actMs, animations: "disabled" });
    if (bytes.length <= longestScreenshot) return { bytes };
  }
  throw new AppError("payload_too_large", "Cannot take a screenshot: the picture is too big.");
}

/** Runs in the page. */
function excerptOf(element: Element, [from, length]: readonly [number, number]) {
  const text = (element instanceof HTMLElement ? element.innerText : element.textContent) ?? "";
  return { text: text.slice(from, from + length), cut: text.length > from + length };
}

export interface PageOptions {
  readonly allowScript: boolean;
  /** The tab of the caller's session; `open` makes one where there is none. */
  open(): Promise<Tab>;
  find(): Tab | undefined;
}

/** The browser for one call, until the signal. */
export function canBrowse({ allowScript, open, find }: PageOptions, signal: AbortSignal): CanBrowse {
  const act = async <T extends object>(what: string, work: (page: Page, pass: EgressPass) => Promise<T>) => {
    const tab = find();
    if (tab === undefined) {
      throw new AppError("bad_request", `Cannot ${what}: no page is open. Open one with goto first.`);
    }
    return tab.act(what, signal, work);
  };
  const wait = { timeout: actMs };

  async function goto(address: string): Promise<PageState> {
    const url = readAddress(address);
    const tab = await open();
    return tab.act(`open ${shown(url)}`, signal, async (page, pass) => {
      const response = await load(page, url);
      // Most pages are drawn by scripts: they are given a moment, but not for ever.
      await page.waitForLoadState("load", { timeout: 3000 }).catch(() => undefined);
      return statusOf(response, pass);
    });
  }

  return {
    goto,
    back: () =>
      act("go back", async (page, pass) =>
        statusOf(await page.goBack({ waitUntil: "domcontentloaded", timeout: loadMs }), pass),
      ),
    click: (selector) =>
      act(`click ${shown(selector)}`, async (page) => {
        await (await at(page, selector)).click(wait);
        return settled(page);
      }),
    fill: (selector, value) =>
      act(`fill ${shown(selector)}`, async (page) => {
        await (await at(page, selector)).fill(value, wait);
        return {};
      }),
    press: (key, selector) =>
      act(`press ${shown(key)}`, async (page) => {
        if (selector === undefined) await page.keyboard.press(key);
        else await (await at(page, selector)).press(key, wait);
        return settled(page);
      }),
    select: (selector, value) =>
      act(`select in ${shown(selector)}`, async (page) => {
        await (await at(page, selector)).selectOption(value, wait);
        return settled(page);
      }),
    waitFor: (what) =>
      act("wait", async (page) => {
        const found = "selector" in what ? await at(page, what.selector) : page.getByText(what.text);
        await found.first().waitFor({ state: "visible", timeout: loadMs });
        return {};
      }),
    text: (from, length, selector) =>
      act("read the text", async (page) => {
        const found = (await at(page, selector ?? "body")).first();
        // Cut in the page: most of a long one never travels.
        const said = await found.evaluate(excerptOf, [from, length] as const, wait);
        const { text, cut } = v.parse(Excerpt, said);
        return { text: text.slice(0, length).toWellFormed(), cut };
      }),
    snapshot: (from, length) =>
      act("take a snapshot", async (page) =>
        part(await page.ariaSnapshot({ mode: "ai", timeout: actMs }), from, length),
      ),
    screenshot: (selector) =>
      act("take a screenshot", async (page) => {
        if (selector !== undefined) await (await at(page, selector)).first().scrollIntoViewIfNeeded(wait);
        return picture(page);
      }),
    evaluate: async (script, length) => {
      if (!allowScript) {
        throw new AppError(
          "forbidden",
          "Cannot run a script in the page: that is not granted here (OPENCLAW_ALLOW_BROWSER_SCRIPT). Use click, fill, get_text or snapshot.",
        );
      }
      return act("run the script", async (page) => {
        const value: unknown = await page.evaluate(script);
        return part(JSON.stringify(value, undefined, 1) ?? "undefined", 0, length);
      });
    },
    close: async () => {
      const tab = find();
      await tab?.close();
      return tab !== undefined;
    },
  };
}
