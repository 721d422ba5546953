import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser } from "playwright";
import { launchBrowser, say, scrollsSideways, untilIdle, watchedPage } from "./browser.ts";
import { answer, serveTurns } from "./served-turns.ts";

setDefaultTimeout(60_000);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test("the page says a message in other words, and goes back to what followed the first ones", async () => {
  await using server = await serveTurns((turn) => answer(`You said ${turn.text}.`));
  await using watched = await watchedPage(browser, server.url, { viewport: { width: 360, height: 640 } });
  const { page } = watched;
  const users = page.locator(".user");
  await page.goto("/chat");
  await say(page, "one");
  await page.getByText("You said one.").waitFor();
  await say(page, "two with a tpyo");
  await page.getByText("You said two with a tpyo.").waitFor();
  await untilIdle(page);

  await users.nth(1).hover();
  await users.nth(1).getByRole("button", { name: "Say this in other words" }).click();
  await users.nth(1).waitFor({ state: "detached" });
  const field = page.getByLabel("Message", { exact: true });
  await page.waitForFunction(() => document.querySelector("textarea")?.value === "two with a tpyo");
  await field.fill("two");
  await page.keyboard.press("Enter");
  await page.getByText("You said two.").waitFor();
  await untilIdle(page);
  expect(await users.allInnerTexts()).toEqual(["one", "two"]);

  await page.getByRole("button", { name: "Branches" }).click();
  await page.getByRole("button", { name: /^Left .+ 4 messages$/ }).click();
  await page.getByText("You said two with a tpyo.").waitFor();
  expect(await users.allInnerTexts()).toEqual(["one", "two with a tpyo"]);
  // A message that was read from the history can be said again too: the first one, from the very beginning.
  await users.first().hover();
  await users.first().getByRole("button", { name: "Say this in other words" }).click();
  await page.getByText("What should the agent do?").waitFor();
  await say(page, "eins");
  await page.getByText("You said eins.").waitFor();
  expect(await users.allInnerTexts()).toEqual(["eins"]);
  expect(server.ran).toEqual(["one", "two with a tpyo", "two", "eins"]);
  expect(await scrollsSideways(page)).toBeFalse();
  expect(watched.faults).toEqual([]);
});

test("the page offers to say something in other words when no turn runs", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = await serveTurns((turn) =>
    answer(`You said ${turn.text}.`, (word) => (word > 0 && turn.text === "slow" ? gate.promise : undefined)),
  );
  await using watched = await watchedPage(browser, server.url);
  const { page } = watched;
  const again = page.getByRole("button", { name: "Say this in other words" });
  await page.goto("/chat");
  await say(page, "one");
  await page.getByText("You said one.").waitFor();
  await untilIdle(page);
  expect(await again.count()).toBe(1);
  await say(page, "slow");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  expect(await again.count()).toBe(0);

  gate.resolve();
  await page.getByText("You said slow.").waitFor();
  await untilIdle(page);
  expect(await again.count()).toBe(2);
  expect(watched.faults).toEqual([]);
});
