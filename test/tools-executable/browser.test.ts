import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { aCanary, aSite } from "../sandbox/a-browser.ts";
import { until } from "../helpers/until.ts";
import { hidesModules } from "./hides-modules.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

// Chromium is slow to start.
setDefaultTimeout(60_000);

const shop = `<title>Shop</title><h1>Welcome</h1><label>Name <input id="name"></label>
<button onclick="document.querySelector('#said').textContent = 'Hello ' + document.querySelector('#name').value">Greet</button>
<p id="said"></p><select aria-label="Colour"><option>red<option>blue</select><a href="/file" download>Report</a>`;

let at: ToolWorkspace;
let site: ReturnType<typeof aSite>;
beforeAll(async () => {
  site = aSite({
    "/": shop,
    "/two": "<title>Two</title><p>Second page",
    "/file": () =>
      new Response("figures", {
        headers: {
          "content-type": "application/octet-stream",
          "content-disposition": 'attachment; filename="report.txt"',
        },
      }),
  });
  // What is bundled must not need what lies beside it here.
  at = await startToolWorkspace({ wrapper: hidesModules });
});
afterAll(async () => {
  await at?.[Symbol.asyncDispose]();
  site?.[Symbol.dispose]();
});

const browse = (input: object, sessionId = "browsing") => at.call("browser", input, { sessionId });

const Picture = v.object({
  type: v.literal("image_url"),
  image_url: v.object({ url: v.pipe(v.string(), v.startsWith("data:image/jpeg;base64,")) }),
});

test("browser opens a page on the executable, and click and fill take the references of its snapshot", async () => {
  expect(await browse({ action: "goto", url: site.url })).toMatchObject({
    status: "ok",
    text: expect.stringContaining("(Shop), status 200"),
  });
  const { text } = await browse({ action: "snapshot" });
  const reference = (what: string) => new RegExp(`${what}.*\\[ref=(e\\d+)\\]`).exec(text)?.[1];
  const name = reference('textbox "Name"');
  const greet = reference('button "Greet"');
  expect([name, greet]).not.toContain(undefined);
  await browse({ action: "fill", selector: name, value: "Ada" });
  await browse({ action: "click", selector: greet });
  expect((await browse({ action: "wait_for", value: "Hello Ada" })).status).toBe("ok");
  expect((await browse({ action: "get_text", selector: "#said" })).text).toContain("Hello Ada");
  expect((await browse({ action: "select", selector: "select", value: "blue" })).status).toBe("ok");
  expect(
    (await browse({ action: "evaluate", script: "document.querySelector('select').value" })).text,
  ).toContain("blue");
});

test("browser shows its screenshot to the model on the executable, and keeps it where it is told to", async () => {
  await browse({ action: "goto", url: site.url });
  const shot = await browse({ action: "screenshot", value: "shop.jpg" });
  expect(shot).toMatchObject({ status: "ok", text: expect.stringContaining("kept in shop.jpg") });
  const pictures = (at.lastBody()?.messages ?? []).flatMap(({ content }) =>
    Array.isArray(content) ? content.filter((part) => v.is(Picture, part)) : [],
  );
  expect(pictures).toHaveLength(1);
  const [picture] = pictures;
  const sent = Buffer.from(v.parse(Picture, picture).image_url.url.split(",")[1] ?? "", "base64");
  const kept = Buffer.from(await Bun.file(join(at.work, "shop.jpg")).arrayBuffer());
  expect(kept.equals(sent)).toBe(true);
  expect([...kept.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
});

test("browser takes no download on the executable, goes back, and closes", async () => {
  await browse({ action: "goto", url: site.url });
  let { text: said } = await browse({ action: "click", selector: "text=Report" });
  // It is noted when it comes: where that takes long, the next call tells.
  await until("the download is told of", async () => {
    if (said.includes("report.txt")) return true;
    ({ text: said } = await browse({ action: "get_text" }));
    return said.includes("report.txt");
  });
  expect(existsSync(join(at.work, "report.txt"))).toBe(false);
  await browse({ action: "goto", url: `${site.url}/two` });
  expect((await browse({ action: "back" })).text).toContain("(Shop)");
  expect((await browse({ action: "close" })).text).toBe("The page is closed.");
});

test("browser keeps the pages of two sessions apart on the executable", async () => {
  await browse({ action: "goto", url: site.url }, "one");
  await browse({ action: "goto", url: `${site.url}/two` }, "two");
  await browse({ action: "evaluate", script: "document.cookie = 'mine=1'" }, "one");
  expect((await browse({ action: "evaluate", script: "document.cookie" }, "two")).text).not.toContain("mine");
  expect((await browse({ action: "get_text" }, "one")).text).toContain("Welcome");
});

test("browser reaches neither files nor our own listener on the executable", async () => {
  const { port } = new URL(at.server.url);
  const urls = ["file:///etc/passwd", `${at.server.url}/api/status`, `http://localhost:${port}/health`];
  for (const url of urls) {
    const { status, text } = await browse({ action: "goto", url }, "attack");
    expect(status).not.toBe("ok");
    expect(text).not.toContain("root:");
  }
});

test("browser reaches no private host and runs no script where that is not granted on the executable", async () => {
  using canary = await aCanary();
  await using strict = await startToolWorkspace({
    env: {
      OPENCLAW_ALLOW_PRIVATE_NETWORK: undefined,
      OPENCLAW_ALLOW_BROWSER_SCRIPT: undefined,
    },
  });
  const script = await strict.call("browser", { action: "evaluate", script: "1" });
  expect(script).toMatchObject({ status: "denied", reason: "not_granted" });
  const opened = await strict.call("browser", { action: "goto", url: `http://${canary.host}/` });
  expect(opened.status).not.toBe("ok");
  expect(canary.heard).toEqual([]);
  expect(readdirSync(strict.work)).toEqual([]);
});
