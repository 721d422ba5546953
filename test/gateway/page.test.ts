import { beforeAll, expect, test } from "bun:test";
import { buildPage } from "../../scripts/build-page.ts";
import { startGateway } from "./helpers/gateway-server.ts";

beforeAll(async () => {
  if (!(await Bun.file("dist/page/chat.html.txt").exists())) await buildPage("dist/page");
});

test("the chat page needs no login and may load nothing but its own files", async () => {
  await using gateway = await startGateway();

  const page = await gateway.ask("/chat", { token: null });
  const policy = page.headers.get("content-security-policy") ?? "";

  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toContain("unsafe");
  expect(await page.text()).toContain("/chat.js");
  expect((await gateway.ask("/chat.js", { token: null })).headers.get("content-type")).toStartWith(
    "text/javascript",
  );
  expect((await gateway.ask("/chat.css", { token: null })).headers.get("content-type")).toStartWith(
    "text/css",
  );
});

test("the chat page is not sent again to a browser that has it", async () => {
  await using gateway = await startGateway();
  const etag = (await gateway.ask("/chat", { token: null })).headers.get("etag") ?? "";

  const again = await gateway.ask("/chat", { token: null, headers: { "if-none-match": etag } });

  expect([again.status, await again.text()]).toEqual([304, ""]);
});

test("/ leads to the chat page", async () => {
  await using gateway = await startGateway();

  const { status, headers } = await gateway.ask("/", { token: null });

  expect([status, headers.get("location")]).toEqual([302, "/chat"]);
});
