import type { Browser, BrowserContext, Page } from "playwright-core";
import { AppError } from "../../errors.ts";
import { explainBrowser, isNetworkError } from "./browser-errors.ts";
import type { PageState } from "../can-web.ts";
import type { EgressPass } from "../net/egress.ts";
import { shown } from "../paths.ts";

const mostPages = 5;
const mostNotes = 20;
const noteLength = 300;
/** After a call that failed the page is given so long to show that it still answers. */
const answerMs = 1000;
const orderMs = 500;
/** A context that takes longer to close is left to the end of its browser. */
const closeMs = 3000;
const view = { width: 1280, height: 800 };

/** What a page may load; everything but the first two never leaves the browser. */
const schemes: ReadonlySet<string> = new Set(["http:", "https:", "data:", "blob:", "about:"]);

/** The pages of one session, in a context of their own: no cookie and no storage is shared with another. */
export interface Tab {
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  /** Resolves when nothing is left of a call that failed; the tab may be closed then. */
  cleaned(): Promise<void>;
  /** Runs `work` on the current page and tells where it stands then; one call after the other. */
  act<T extends object>(
    what: string,
    signal: AbortSignal,
    work: (page: Page, pass: EgressPass) => Promise<T>,
  ): Promise<T & PageState>;
  close(): Promise<void>;
}

/** Waits for `work`, but not longer than the signal; what comes of it later is nobody's business. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}

/** Gives an order to a page, and waits a moment for it: one that is stuck takes orders, but does not say so. */
async function order(page: Page, what: "Page.stopLoading" | "Page.crash") {
  const send = async () => {
    const session = await page.context().newCDPSession(page);
    await session.send(what);
    await session.detach();
  };
  await Promise.race([send().catch(() => undefined), Bun.sleep(orderMs)]);
}

/** Watches a context: what opens, asks or downloads by itself is answered and noted. */
function watch(context: BrowserContext) {
  const notes: string[] = [];
  let current: Page | undefined;
  const note = (text: string) => {
    if (notes.length === mostNotes) notes.push("More happened that is not noted.");
    if (notes.length < mostNotes) notes.push(text.slice(0, noteLength));
  };
  context.on("page", (page) => {
    if (context.pages().length > mostPages) {
      note("A new window was closed: too many are open.");
      void page.close().catch(() => undefined);
      return;
    }
    if (current !== undefined) note("A new window opened; it is the current page now.");
    current = page;
    page.on("close", () => {
      if (current === page) current = context.pages().findLast((other) => !other.isClosed());
    });
    page.on("crash", () => {
      note("The page crashed and was closed.");
      void page.close().catch(() => undefined);
    });
    page.on("dialog", (dialog) => {
      const isLeaving = dialog.type() === "beforeunload";
      if (!isLeaving) note(`The page showed a dialog, which was dismissed: ${shown(dialog.message())}`);
      void (isLeaving ? dialog.accept() : dialog.dismiss()).catch(() => undefined);
    });
    page.on("download", (download) => {
      const name = shown(download.suggestedFilename());
      note(`The page offered a download, which was not taken: ${name} from ${shown(download.url())}`);
    });
  });
  return {
    note,
    takeNotes: () => notes.splice(0),
    page: async () => (current === undefined || current.isClosed() ? context.newPage() : current),
  };
}

/** Opens the pages of a session behind their own pass of the egress proxy. Throws when the browser takes no proxy for them. */
export async function openTab(browser: Browser, pass: EgressPass): Promise<Tab> {
  const context = await browser.newContext({
    proxy: {
      server: `http://127.0.0.1:${pass.port}`,
      username: pass.username,
      password: pass.password,
      bypass: "<-loopback>",
    },
    viewport: view,
    acceptDownloads: false,
    serviceWorkers: "block",
    permissions: [],
    locale: "en-US",
  });
  // They would not go through the proxy; flags of our own Chromium, and the sandbox, forbid it as well.
  await context.addInitScript(
    'for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) delete globalThis[name];',
  );
  const { note, takeNotes, page } = watch(context);
  let isOpen = true;
  let refusalsTold = 0;
  context.on("close", () => {
    isOpen = false;
    pass.release();
  });
  await context.route(
    (url) => !schemes.has(url.protocol),
    (route) => {
      note(`The page asked for ${shown(route.request().url())}, which may not be loaded.`);
      return route.abort("blockedbyclient").catch(() => undefined);
    },
  );

  const close = async () => {
    isOpen = false;
    pass.release();
    await Promise.race([context.close().catch(() => undefined), Bun.sleep(closeMs)]);
  };

  /** A page that is stuck in a script takes no call any more: it goes, so that the next call finds a new one. */
  async function closeIfStuck(stuck: Page) {
    const answers = stuck.title().then(
      () => true,
      () => false,
    );
    if (stuck.isClosed() || (await Promise.race([answers, Bun.sleep(answerMs)])) === true) return;
    // Closed alone it would run on.
    await order(stuck, "Page.crash");
    await close();
  }

  function refusals(): string[] {
    const fresh = pass.refusals.slice(refusalsTold);
    refusalsTold += fresh.length;
    return fresh.map((why) => `Refused: ${why}`.slice(0, noteLength));
  }

  /** Where the current page stands; the call may have opened another one, which is then on its way. */
  async function standing(): Promise<{ url: string; title: string }> {
    for (let before = await page(); ;) {
      const title = (await before.title()).slice(0, noteLength);
      const now = await page();
      if (now === before) return { url: now.url(), title };
      await now.waitForLoadState("domcontentloaded", { timeout: answerMs }).catch(() => undefined);
      before = now;
    }
  }

  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** What a failed call left behind is gone then. */
  let cleaned: Promise<void> = Promise.resolve();

  async function actNow<T extends object>(
    what: string,
    signal: AbortSignal,
    work: (page: Page, pass: EgressPass) => Promise<T>,
  ): Promise<T & PageState> {
    signal.throwIfAborted();
    if (!isOpen)
      throw new AppError("unavailable", `Cannot ${what}: the browser ended. Open the page with goto.`);
    const now = await untilAborted(page(), signal);
    try {
      const done = await untilAborted(work(now, pass), signal);
      const stands = await untilAborted(standing(), signal);
      return { ...stands, ...done, notes: [...takeNotes(), ...refusals()] };
    } catch (error) {
      // A load that nobody waits for any more would keep the next call waiting.
      cleaned = order(now, "Page.stopLoading").then(() => closeIfStuck(now));
      throw error;
    }
  }

  return {
    get isOpen() {
      return isOpen;
    },
    get isBusy() {
      return waiting > 0;
    },
    cleaned: () => cleaned,
    async act(what, signal, work) {
      waiting += 1;
      const mine = last.then(() => actNow(what, signal, work));
      last = mine.catch(() => undefined).then(() => cleaned);
      try {
        return await untilAborted(mine, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const [refused] = isNetworkError(error) ? refusals() : [];
        if (refused === undefined) throw explainBrowser(error, what);
        throw new AppError("forbidden", `Cannot ${what}. ${refused}`, { cause: error });
      } finally {
        waiting -= 1;
      }
    },
    close,
  };
}
