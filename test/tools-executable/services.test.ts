import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { aMailServer } from "../tools/mail-server.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let mail: Awaited<ReturnType<typeof aMailServer>>;
const drawn: unknown[] = [];
let painter: ReturnType<typeof startPainter>;
const startPainter = () =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      drawn.push({ pathname, key: request.headers.get("authorization"), body: await request.json() });
      return Response.json({ data: [{ b64_json: png.toString("base64") }] });
    },
  });
let at: ToolWorkspace;
beforeAll(async () => {
  mail = await aMailServer();
  painter = startPainter();
  at = await startToolWorkspace({
    env: {
      OPENCLAW_SMTP_URL: `smtp://ada:correct%20horse@127.0.0.1:${mail.port}`,
      OPENCLAW_IMAGE_ENDPOINT: `http://127.0.0.1:${painter.port}/v1`,
      OPENCLAW_IMAGE_KEY: "sk-of-the-painter",
    },
  });
});
afterAll(async () => {
  await at?.[Symbol.asyncDispose]();
  await mail?.stop();
  await painter?.stop(true);
});

test("email reaches a real mail server from the executable, and nobody who is not allowed", async () => {
  const message = { subject: "Größe", body: "Hello\n.\nstill the body" };
  const sent = await at.call("email", { to: "bob@example.com", ...message });
  expect(sent).toMatchObject({ status: "ok", text: expect.stringContaining("Sent. Message id:") });
  expect(mail.received).toMatchObject([{ from: "agent@example.com", to: ["bob@example.com"], user: "ada" }]);
  const refused = [
    await at.call("email", { to: "bob@elsewhere.org", ...message }),
    await at.call("email", { to: "bob@example.com", subject: "x\r\nBcc: eve@elsewhere.org", body: "x" }),
  ];
  for (const { status } of refused) expect(status).not.toBe("ok");
  expect(mail.received).toHaveLength(1);
});

test("image_gen keeps a picture of the images endpoint in the workspace on the executable", async () => {
  const { status, text } = await at.call("image_gen", { prompt: "a claw", size: "1024x1024" });
  expect(status).toBe("ok");
  const [name = ""] = /image-\S+\.png/.exec(text) ?? [];
  expect(readdirSync(at.work)).toEqual([name]);
  expect(readFileSync(join(at.work, name)).equals(png)).toBe(true);
  expect(drawn).toMatchObject([
    {
      pathname: "/v1/images/generations",
      key: "Bearer sk-of-the-painter",
      body: { prompt: "a claw", size: "1024x1024" },
    },
  ]);
});
