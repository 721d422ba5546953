import { expect, setDefaultTimeout, test } from "bun:test";
import { aBrowser, aCanary, aSite } from "../a-browser.ts";

// Chromium is slow to start, and once more with many pages.
setDefaultTimeout(120_000);

/** Every way that a page has to reach something, each aimed at `target` (a host with its port). */
const attacks = (target: string) => `<title>Attack</title>
<link rel="stylesheet" href="http://${target}/css"><link rel="prefetch" href="http://${target}/prefetch">
<link rel="preconnect" href="http://${target}/"><link rel="dns-prefetch" href="http://${target}/">
<link rel="icon" href="http://${target}/icon"><link rel="manifest" href="http://${target}/manifest">
<script type="speculationrules">{"prerender":[{"source":"list","urls":["http://${target}/rules"]}]}</script>
<img src="http://${target}/img"><img src="file:///etc/passwd"><iframe src="http://${target}/frame"></iframe>
<iframe src="file:///etc/passwd"></iframe><iframe src="/redirect"></iframe><video src="http://${target}/video"></video>
<object data="http://${target}/object"></object><embed src="http://${target}/embed"><script src="http://${target}/script"></script>
<a id="ping" href="/done" ping="http://${target}/ping">ping</a>
<form id="form" target="inner" method="post" action="http://${target}/form"><input name="a" value="b"></form>
<iframe name="inner"></iframe><iframe id="empty"></iframe><iframe srcdoc="<meta http-equiv=refresh content='0;url=http://${target}/refresh'>"></iframe>
<script>
const tries = [
  () => fetch("http://${target}/fetch", { mode: "no-cors" }),
  () => fetch("file:///etc/passwd"),
  () => navigator.sendBeacon("http://${target}/beacon", "x"),
  () => new WebSocket("ws://${target}/ws"),
  () => new EventSource("http://${target}/events"),
  () => { const r = new XMLHttpRequest(); r.open("GET", "http://${target}/xhr"); r.send(); },
  () => navigator.serviceWorker.register("/worker.js"),
  () => new Worker(URL.createObjectURL(new Blob(['fetch("http://${target}/worker", { mode: "no-cors" }); new WebSocket("ws://${target}/")']))),
  () => import("http://${target}/module.js"),
  () => document.querySelector("#form").submit(),
  () => window.open("http://${target}/popup"),
  () => new WebTransport("https://${target}/"),
  () => { const { contentWindow: w } = document.querySelector("#empty"); call(new w.RTCPeerConnection(ice)); },
  () => call(new RTCPeerConnection(ice)),
  () => location.assign("file:///etc/passwd"),
];
const ice = { iceServers: [{ urls: "stun:${target}" }, { urls: "turn:${target}?transport=tcp", username: "a", credential: "b" }] };
const call = async (peer) => { peer.createDataChannel("x"); await peer.setLocalDescription(await peer.createOffer()); };
let done = 0;
for (const attempt of tries) Promise.resolve().then(attempt).catch(() => {}).finally(() => { done += 1; if (done === tries.length) document.title = "Tried"; });
setTimeout(() => { document.title = "Tried"; }, 1500);
</script>`;

const site = (target: string) =>
  aSite({
    "/": attacks(target),
    "/redirect": () => Response.redirect(`http://${target}/redirected`),
    "/away": () => Response.redirect(`http://${target}/away`),
    "/done": "<title>Done</title>",
    "/worker.js": () =>
      new Response(`fetch("http://${target}/service", { mode: "no-cors" })`, {
        headers: { "content-type": "text/javascript" },
      }),
  });

test.each([true, false])(
  "lendBrowser lets nothing of a page past the egress rules (namespaces: %p)",
  async (namespaces) => {
    using canary = await aCanary();
    using attacker = site(canary.host);
    await using tool = await aBrowser({ allowedHosts: [attacker.host], allowScript: true, namespaces });
    const opened = await tool.call({ action: "goto", url: attacker.url });
    expect(opened).toMatchObject({ status: "ok" });
    const tried = await tool.call({
      action: "evaluate",
      script:
        "new Promise((done) => { const look = () => document.title === 'Attack' ? setTimeout(look, 20) : done(document.title); look(); })",
    });
    expect(tried.text).toContain("Tried");
    expect(`${opened.text}${tried.text}`).toContain("Refused:");
    await tool.call({ action: "click", selector: "#ping" });
    const away = await tool.call({ action: "goto", url: `${attacker.url}/away` });
    expect(away.status).not.toBe("ok");
    expect(canary.heard).toEqual([]);
  },
);

test("lendBrowser ends Chromium when no page was used for the idle time", async () => {
  using home = aSite({ "/": "<p>hi" });
  await using tool = await aBrowser({ allowedHosts: [home.host], idleMs: 200 });
  expect(await tool.call({ action: "goto", url: home.url })).toMatchObject({ status: "ok" });
  await tool.starts[0]?.ended;
  expect((await tool.call({ action: "get_text" })).text).toContain("no page is open");
});

test("lendBrowser closes the page that is idle for longest when a ninth session comes, and none that works", async () => {
  const all = Promise.withResolvers<void>();
  const gates: ((page: Response) => void)[] = [];
  const answer = () => new Response("<title>Slow</title>", { headers: { "content-type": "text/html" } });
  using home = aSite({
    "/": "<title>Quick</title>",
    "/slow": () => {
      const { promise, resolve } = Promise.withResolvers<Response>();
      if (gates.push(resolve) === 8) all.resolve();
      return promise;
    },
  });
  await using tool = await aBrowser({ allowedHosts: [home.host], idleMs: 600_000 });
  const sessions = Array.from({ length: 8 }, (_, index) => `session ${index}`);
  // Opened before, one by one: the eight loads that wait are bounded, and a slow machine takes longer to open as many.
  for (const session of sessions)
    expect(await tool.call({ action: "goto", url: home.url }, session)).toMatchObject({ status: "ok" });
  const busy = sessions.map((session) => tool.call({ action: "goto", url: `${home.url}/slow` }, session));
  await all.promise;
  const ninth = () => tool.call({ action: "goto", url: home.url }, "ninth");
  expect((await ninth()).text).toContain("Too many pages are open here; try again in a moment.");
  gates[0]?.(answer());
  await Promise.race(busy);
  expect(await ninth()).toMatchObject({ status: "ok" });
  for (const open of gates) open(answer());
  expect((await Promise.all(busy)).map(({ status }) => status)).toEqual(Array(8).fill("ok"));
}, 300_000);

test("lendBrowser runs a script only where that is granted", async () => {
  await using tool = await aBrowser({ allowedHosts: [] });
  const { status, text, reason } = await tool.call({ action: "evaluate", script: "1" });
  expect({ status, reason }).toEqual({ status: "denied", reason: "not_granted" });
  expect(text).toContain("OPENCLAW_ALLOW_BROWSER_SCRIPT");
  expect(tool.starts).toEqual([]);
});

test("lendBrowser starts nothing as root, and says how that is mended", async () => {
  if (process.getuid?.() !== 0) return;
  await using tool = await aBrowser({ allowedHosts: [], hasUser: false });
  expect(tool.warnings[0]).toContain("OPENCLAW_SANDBOX_USER");
  const { status, text } = await tool.call({ action: "goto", url: "about:blank" });
  expect(status).toBe("denied");
  expect(text).toContain("OPENCLAW_SANDBOX_USER");
});

test("lendBrowser does not tell the address of a remote browser that does not answer", async () => {
  await using tool = await aBrowser({ allowedHosts: [], cdpUrl: "http://127.0.0.1:1/secret-key" });
  const { status, text } = await tool.call({ action: "goto", url: "about:blank" });
  expect(status).toBe("error");
  expect(text).toContain("OPENCLAW_BROWSER_CDP_URL");
  expect(text).not.toContain("secret-key");
});

test("lendBrowser ends Chromium when its pages hold too much memory", async () => {
  using home = aSite({ "/": "<p>hi" });
  await using tool = await aBrowser({ allowedHosts: [home.host], allowScript: true, memoryBytes: 2 ** 28 });
  await tool.call({ action: "goto", url: home.url });
  const script = "kept = []; for (let i = 0; i < 40; i += 1) kept.push(new Uint8Array(2 ** 25).fill(i)); 1";
  await tool.call({ action: "evaluate", script });
  await tool.starts[0]?.ended;
  expect(await tool.call({ action: "goto", url: home.url })).toMatchObject({ status: "ok" });
});
