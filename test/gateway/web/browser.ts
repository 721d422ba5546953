import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What must never happen: errors of the page, refused by the policy or else, and requests to anywhere but the server. */
  readonly faults: readonly string[];
}

/** The browser writes down each 401 and each lost connection; this is how the page asks whether it may come in. */
const isQuestion = (text: string, url: string) =>
  url.endsWith("/api/status") && /\b401\b|net::ERR_/.test(text);

/** A page without a network tries its socket again until there is one; only `setOffline` of a test takes the network away. */
const isOffline = (text: string) => text.endsWith("net::ERR_INTERNET_DISCONNECTED");

/** A fresh browser profile with one page, which is watched for what it must not do. */
export async function watchedPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (line) => {
    const { url } = line.location();
    if (line.type() === "error" && !isQuestion(line.text(), url) && !isOffline(line.text()))
      faults.push(`console: ${line.text()} ${url}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) faults.push(`request: ${url}`);
  });
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}

/** Writes a message and sends it as a person does. */
export async function say(page: Page, text: string) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** Resolves when no turn runs: the words of an answer are shown before its turn has ended. */
export const untilIdle = (page: Page) =>
  page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });

/** Whether something is wider than the window. */
export const scrollsSideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
