import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../helpers/executable.ts";
import { type ChatBody, type ModelServer, type Step, scriptedModel } from "../helpers/model-server.ts";
import { launchBrowser, say, scrollsSideways, watchedPage } from "./web/browser.ts";

setDefaultTimeout(60_000);

const token = "the-token-of-this-test-0123456789";
const released = Promise.withResolvers<void>();

/** What the model does is read off the last thing said by a person, and whether a tool has answered it. */
function script({ messages }: ChatBody): Step {
  const asked = messages.findLast(({ role }) => role === "user")?.content;
  const last = messages.at(-1);
  const answered = last?.role === "tool" ? String(last.content) : undefined;
  if (asked === "read") {
    if (answered === undefined) return { calls: [{ name: "read_file", arguments: { path: "plan.md" } }] };
    return { text: ["The plan ", "says: ", "**", answered.trim(), "**"] };
  }
  if (asked === "write" || asked === "write again") {
    const file = { path: asked === "write" ? "made.txt" : "refused.txt", content: "from the page" };
    if (answered === undefined) return { calls: [{ name: "write_file", arguments: file }] };
    return { text: `Done: ${answered}` };
  }
  if (asked === "slow") {
    // Says three words and no more until the test lets it.
    return { text: ["one ", "two ", "three ", "four"], gate: (index) => index === 3 && released.promise };
  }
  return { text: "Hello from the model." };
}

let browser: Browser;
let model: ModelServer;
let server: RunningExecutable;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

const file = (path: string) => Bun.file(join(folder.path, "work", path));

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, "work"));
  await Bun.write(join(folder.path, "work/plan.md"), "ship it\n");
  model = scriptedModel(script);
  server = await startExecutable({
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_WORKSPACE: join(folder.path, "work"),
    OPENCLAW_ALLOWED_READ_ROOTS: ".",
    OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  });
  browser = await launchBrowser();
});

afterAll(async () => {
  released.resolve();
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await model?.close();
  await folder?.[Symbol.asyncDispose]();
});

async function logIn(page: Page) {
  await page.goto("/");
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByLabel("Message", { exact: true }).waitFor();
}

const approval = (page: Page) => page.getByRole("region", { name: "May the agent run write_file?" });

test("the page of the executable: log in, send, watch a tool, approve, deny with a note, stop, reload", async () => {
  await using watched = await watchedPage(browser, server.url);
  const { page, faults } = watched;

  await logIn(page);
  expect(new URL(page.url()).pathname).toBe("/chat");
  await say(page, "hello");
  await page.getByText("Hello from the model.").waitFor();

  await say(page, "read");
  await page.locator(".said strong", { hasText: "ship it" }).waitFor();
  const card = page.locator("details.tool", { hasText: "read_file" });
  expect(await card.locator("summary").innerText()).toContain("done");
  await card.locator("summary").click();
  await card.locator("dd", { hasText: "plan.md" }).waitFor();
  await card.getByLabel("Output").getByText("ship it").waitFor();

  await say(page, "write");
  await approval(page).getByText("made.txt", { exact: true }).waitFor();
  await approval(page).getByText("from the page").waitFor();
  expect(await file("made.txt").exists()).toBeFalse();
  await approval(page).getByRole("button", { name: "Approve" }).click();
  await page.getByText("Done:").waitFor();
  expect(await file("made.txt").text()).toBe("from the page");

  await say(page, "write again");
  await approval(page).getByLabel("Note to the model").fill("ask me tomorrow");
  await approval(page).getByRole("button", { name: "Deny" }).click();
  await page.getByText("Done:").nth(1).waitFor();
  expect(await file("refused.txt").exists()).toBeFalse();
  expect(JSON.stringify(model.requests.at(-1)?.body.messages.at(-1))).toContain("ask me tomorrow");

  await say(page, "slow");
  await page.getByText("one two three").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped. What was done so far is kept.").waitFor();
  await model.aborted;
  await say(page, "hello");
  await page.getByText("Hello from the model.").nth(1).waitFor();

  await page.reload();
  await page.getByText("Hello from the model.").nth(1).waitFor();
  const words = await page.locator(".user").allInnerTexts();
  expect(words).toEqual(["hello", "read", "write", "write again", "slow", "hello"]);
  expect(await page.locator("details.tool").count()).toBe(3);
  await page.getByText("Hello from the model.").nth(1).waitFor();
  expect(faults).toEqual([]);
});

test("the page of the executable goes on with a running answer after a reload", async () => {
  await using watched = await watchedPage(browser, server.url);
  const { page, faults } = watched;
  await logIn(page);
  await say(page, "slow");
  await page.getByText("one two three").waitFor();
  await page.reload();
  await page.getByText("one two three").waitFor();
  expect(await page.getByRole("button", { name: "Stop" }).isVisible()).toBeTrue();
  released.resolve();
  await page.getByText("one two three four").waitFor();
  expect(await page.locator(".said").allInnerTexts()).toEqual(["one two three four"]);
  expect(faults).toEqual([]);
});

test("the page of the executable refuses a wrong token and says so", async () => {
  await using watched = await watchedPage(browser, server.url);
  const { page, faults } = watched;
  await page.goto("/chat");
  const field = page.getByLabel("Access token");
  expect(await field.getAttribute("type")).toBe("password");
  expect(await field.getAttribute("autocomplete")).toBe("current-password");
  await field.fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByText("This is not the token of this server.").waitFor();
  expect(faults.filter((fault) => !/401.*\/auth\/login$/.test(fault))).toEqual([]);
});

test.each(["light", "dark"] as const)("the page of the executable fits 320 px in %s", async (colorScheme) => {
  await using watched = await watchedPage(browser, server.url, {
    colorScheme,
    viewport: { width: 320, height: 560 },
  });
  const { page, faults } = watched;
  await page.goto("/chat");
  await page.getByLabel("Access token").waitFor();
  expect(await scrollsSideways(page)).toBeFalse();
  await logIn(page);
  await say(page, "write");
  await approval(page).waitFor();
  expect(await scrollsSideways(page)).toBeFalse();
  await approval(page).getByRole("button", { name: "Deny" }).click();
  await page.getByText("Done:").waitFor();
  await page.getByRole("button", { name: "Sessions" }).click();
  await page.getByRole("navigation").getByRole("button", { name: "New session" }).waitFor();
  expect(await scrollsSideways(page)).toBeFalse();
  await page.keyboard.press("Escape");
  await page.getByRole("navigation").waitFor({ state: "hidden" });
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
    colorScheme === "light" ? "rgb(245, 247, 247)" : "rgb(16, 21, 23)",
  );
  expect(faults).toEqual([]);
});
