import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../helpers/until.ts";
import { type ABrowser, aBrowser, aSite } from "../sandbox/a-browser.ts";

// Chromium is slow to start.
setDefaultTimeout(60_000);

const form = `<title>Form</title><h1>Hello</h1>
<input aria-label="Name"><select aria-label="Size"><option value="s">Small<option value="l">Large</select>
<button onclick="out.textContent = document.querySelector('input').value + ' ' + document.querySelector('select').value">Go</button>
<p id="out"></p><a href="/two">next</a>`;

const site = aSite({
  "/": form,
  "/two": "<title>Two</title><h1>Second</h1>",
  "/long": `<p>${"0123456789".repeat(5000)}</p>`,
  "/noisy": `<button id="a" onclick="alert('boo')">ask</button><button id="w" onclick="window.open('/two')">window</button><a href="/file">file</a>`,
  "/file": () =>
    new Response("secret", { headers: { "content-disposition": "attachment; filename=../../evil.sh" } }),
  "/hang": "<button onclick='for (;;);'>hang</button>",
  "/never": () => new Promise<Response>(() => {}),
  "/cookie": `<script>document.title = document.cookie || "none"; document.cookie = "who=me"</script>`,
});

let tool: ABrowser;
beforeAll(async () => {
  tool = await aBrowser({ allowedHosts: [site.host], allowScript: true });
});
afterAll(async () => {
  await tool[Symbol.asyncDispose]();
  site[Symbol.dispose]();
});

const open = (path: string, session?: string) => tool.call({ action: "goto", url: site.url + path }, session);

/** Waits until a call says this, or one that asks again: what an act sets off is noted when it comes. */
async function hears(input: object, part: string) {
  let { text } = await tool.call(input);
  await until(`the browser says ${part}`, async () => {
    if (text.includes(part)) return true;
    ({ text } = await tool.call({ action: "get_text" }));
    return text.includes(part);
  });
}

test("browser shows a page with references that fill, select and click take", async () => {
  expect(await open("/")).toMatchObject({
    status: "ok",
    text: expect.stringContaining("(Form), status 200"),
  });
  const { text } = await tool.call({ action: "snapshot" });
  const refOf = (what: string) => new RegExp(`${what}.*?\\[ref=(e\\d+)\\]`).exec(text)?.[1];
  await tool.call({ action: "fill", selector: refOf('textbox "Name"'), value: "Ada" });
  await tool.call({ action: "select", selector: refOf('combobox "Size"'), value: "Large" });
  await tool.call({ action: "click", selector: `[ref=${refOf('button "Go"')}]` });
  expect((await tool.call({ action: "get_text", selector: "#out" })).text).toEndWith("Ada l");
});

test("browser presses keys, waits, follows links and goes back", async () => {
  await open("/");
  await tool.call({ action: "click", selector: "text=next" });
  expect((await tool.call({ action: "wait_for", value: "Second" })).text).toContain("/two (Two)");
  expect((await tool.call({ action: "back" })).text).toContain("(Form)");
  await tool.call({ action: "press", selector: "a", value: "Enter" });
  expect((await tool.call({ action: "wait_for", selector: "h1" })).text).toContain("/two");
});

test("browser pages long texts and says how to go on", async () => {
  await open("/long");
  const first = await tool.call({ action: "get_text" });
  expect(first.text).toContain("[There is more: call again with from=20001]");
  const last = await tool.call({ action: "get_text", from: 40_001 });
  expect(last.text).not.toContain("There is more");
  expect(last.text.length).toBeLessThan(11_000);
});

test("browser answers a screenshot with a picture, and keeps it only where a file is named", async () => {
  await open("/");
  const { images, text } = await tool.call({ action: "screenshot" });
  expect(images[0]).toStartWith("data:image/jpeg;base64,/9j/");
  expect(text).toContain("JPEG");
  expect(readdirSync(tool.work)).toEqual([".data"]);
  expect((await tool.call({ action: "screenshot", value: "page.jpg" })).text).toContain(
    "It is kept in page.jpg.",
  );
  expect(existsSync(join(tool.work, "page.jpg"))).toBe(true);
});

test("browser dismisses dialogs, turns to new windows, and lets no download land anywhere", async () => {
  await open("/noisy");
  expect((await tool.call({ action: "click", selector: "#a" })).text).toContain("dismissed: boo");
  await hears({ action: "click", selector: "text=file" }, "a download, which was not taken");
  expect(await open("/file")).toMatchObject({
    status: "error",
    text: expect.stringContaining("is a download"),
  });
  await open("/noisy");
  await hears({ action: "click", selector: "#w" }, "A new window opened");
  await hears({ action: "get_text" }, "/two (Two)");
  expect(readdirSync(tool.work).filter((name) => name.includes("evil"))).toEqual([]);
});

test.each([
  "file:///etc/passwd",
  "FILE:///etc/passwd",
  "view-source:http://127.0.0.1/",
  "chrome://settings",
  "devtools://devtools/bundled/inspector.html",
  "data:text/html,hi",
  "javascript:alert(1)",
  "blob:http://127.0.0.1/x",
  "ftp://127.0.0.1/",
  "http://user:password@127.0.0.1/",
  "http://",
  "http://[",
])("browser does not go to %s", async (url) => {
  expect(["error", "denied"]).toContain((await tool.call({ action: "goto", url })).status);
});

test.each(["http", "https"])("browser tells why an address may not be reached by %s", async (scheme) => {
  for (const host of ["169.254.169.254", "127.0.0.1:8", "metadata.google.internal", "[::1]:9999"]) {
    const { status, text } = await tool.call({ action: "goto", url: `${scheme}://${host}/` });
    expect(["error", "denied"]).toContain(status);
    expect(text).toStartWith("Cannot");
  }
  expect(await open("/")).toMatchObject({ status: "ok" });
});

test("browser keeps nothing of one session for another", async () => {
  await open("/cookie", "one");
  expect((await open("/cookie", "one")).text).toContain("(who=me)");
  expect((await open("/cookie", "two")).text).toContain("(none)");
  await tool.call({ action: "close" }, "one");
  expect((await tool.call({ action: "get_text" }, "one")).text).toContain("no page is open");
  expect((await open("/cookie", "one")).text).toContain("(none)");
});

test("browser takes the next call after a cancelled one", async () => {
  const stop = new AbortController();
  const going = tool.call({ action: "goto", url: `${site.url}/never` }, "cancelled", stop.signal);
  while (!site.asked.includes("/never")) await Bun.sleep(5);
  stop.abort();
  await expect(going).rejects.toMatchObject({ code: "cancelled" });
  expect(await open("/", "cancelled")).toMatchObject({ status: "ok" });
});

test("browser closes a page that is stuck in a script", async () => {
  await open("/hang", "stuck");
  const hanging = await tool
    .call({ action: "evaluate", script: "for (;;);" }, "stuck", AbortSignal.timeout(1000))
    .catch((error: unknown) => error);
  expect(hanging).toMatchObject({ code: "cancelled" });
  expect(await open("/", "stuck")).toMatchObject({ status: "ok" });
  expect((await tool.call({ action: "get_text" }, "stuck")).text).toContain("Hello");
});

test("browser is ended by an answer that would fill the memory, and starts again", async () => {
  await open("/", "big");
  const answer = await tool.call({ action: "evaluate", script: "'x'.repeat(60e6)" }, "big");
  expect(answer).toMatchObject({ status: "error", text: expect.stringContaining("ended in the middle") });
  expect(await open("/", "big")).toMatchObject({ status: "ok" });
});

test("browser says that Chromium crashed, and starts it again", async () => {
  await open("/", "crash");
  await tool.starts.at(-1)?.crash();
  const { status, text } = await tool.call({ action: "get_text" }, "crash");
  expect(status).toBe("error");
  expect(text).toContain("goto");
  expect(await open("/", "crash")).toMatchObject({ status: "ok" });
});

test.each<[string, object]>([
  ["nothing", {}],
  ["no such action", { action: "fly" }],
  ["goto without url", { action: "goto" }],
  ["an empty url", { action: "goto", url: "" }],
  ["a number as url", { action: "goto", url: 7 }],
  ["an unknown argument", { action: "goto", url: site.url, more: true }],
  ["click without selector", { action: "click" }],
  ["a list as selector", { action: "click", selector: ["a"] }],
  ["fill without selector", { action: "fill", value: "x" }],
  ["press without key", { action: "press", selector: "a" }],
  ["wait_for without anything", { action: "wait_for" }],
  ["evaluate without script", { action: "evaluate" }],
  ["a page before the first", { action: "get_text", from: 0 }],
  ["a value of 1 MB", { action: "fill", selector: "a", value: "x".repeat(1_000_000) }],
  ["a selector of 1 MB", { action: "click", selector: "x".repeat(1_000_000) }],
  ["a reference that is gone", { action: "click", selector: "e9999" }],
  ["a selector that is none", { action: "click", selector: ">> >> [[" }],
  ["a key that is none", { action: "press", value: "NoSuchKey" }],
])("browser refuses %s in a sentence", async (_name, input) => {
  await open("/", "bad");
  const { status, text } = await tool.call(input, "bad");
  expect(status).toBe("error");
  expect(text.length).toBeLessThan(1000);
});
