import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ImageSettings, lendImages } from "../../src/sandbox/services/images.ts";
import { aWorkspace, type Options, type Workspace } from "../sandbox/workspace.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let answer: (request: Request) => Response | Promise<Response>;
let asked: { path: string; key: string | null; body: unknown }[] = [];
let server: ReturnType<typeof serve>;
const serve = () =>
  Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push({ path: pathname, key: request.headers.get("authorization"), body: await request.json() });
      return answer(request);
    },
  });
const open: Workspace[] = [];
beforeEach(() => {
  asked = [];
  server = serve();
  answer = () => Response.json({ data: [{ b64_json: png.toString("base64") }] });
});
afterEach(async () => {
  for (const one of open.splice(0)) one.remove();
  await server.stop(true);
});

const endpoint = () => `http://127.0.0.1:${server.port}/v1`;
const settings = (more: Partial<ImageSettings> = {}): ImageSettings => ({
  allowImageGen: true,
  imageModel: "gpt-image-1",
  imageEndpoint: undefined,
  imageKey: undefined,
  ...more,
});
const provider = () => ({ endpoint: endpoint(), key: "sk-secret-key-of-the-provider" });

function painter(more: Partial<ImageSettings> = {}, options: Options = {}) {
  const { lend, warnings } = lendImages(settings(more), provider());
  expect(warnings).toEqual([]);
  const at = aWorkspace({ lend, ...options });
  open.push(at);
  return at;
}

test("image_gen keeps the picture under a name of its own in the workspace", async () => {
  const at = painter();
  writeFileSync(join(at.work, "image-2023-11-14-1.png"), "mine");
  const result = await at.call("image_gen", { prompt: "a claw", size: "1024x1024", quality: "low" });
  expect(result).toMatchObject({
    status: "ok",
    text: `Drawn: image-2023-11-14-2.png (png, ${png.length} bytes).`,
  });
  expect(readFileSync(join(at.work, "image-2023-11-14-2.png")).equals(png)).toBe(true);
  expect(readFileSync(join(at.work, "image-2023-11-14-1.png"), "utf8")).toBe("mine");
  expect(asked).toEqual([
    {
      path: "/v1/images/generations",
      key: "Bearer sk-secret-key-of-the-provider",
      body: { model: "gpt-image-1", prompt: "a claw", n: 1, size: "1024x1024", quality: "low" },
    },
  ]);
});

test("image_gen asks other models for the picture itself, and names it after what it is", async () => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
  answer = () => Response.json({ data: [{ b64_json: jpeg.toString("base64") }] });
  const at = painter({ imageModel: "dall-e-3", imageKey: "own" });
  expect((await at.call("image_gen", { prompt: "x" })).text).toContain("image-2023-11-14-1.jpg");
  expect(asked[0]).toMatchObject({ key: "Bearer own", body: { response_format: "b64_json" } });
});

test("image_gen never sends the model provider's key to another host", async () => {
  const at = aWorkspace({
    lend: lendImages(settings({ imageEndpoint: endpoint() }), {
      endpoint: "https://api.example.com/v1",
      key: "sk-x",
    }).lend,
  });
  open.push(at);
  expect((await at.call("image_gen", { prompt: "x" })).status).toBe("ok");
  expect(asked[0]?.key).toBeNull();
});

test.each<[string, () => Response | Promise<Response>, string]>([
  [
    "an error",
    () => Response.json({ error: { message: "Bad key sk-secret-key-of-the-provider." } }, { status: 401 }),
    "answered 401: Bad key",
  ],
  ["an error that is no JSON", () => new Response("<html>", { status: 502 }), "answered 502"],
  ["a redirect", () => Response.redirect("http://127.0.0.1:1/x"), "answered 302"],
  ["an address", () => Response.json({ data: [{ url: "http://127.0.0.1/x.png" }] }), "not followed"],
  ["no picture", () => Response.json({ data: [] }), "no answer of the images API"],
  ["something else", () => new Response("hello"), "no answer of the images API"],
  ["a page", () => Response.json({ data: [{ b64_json: btoa("<svg onload=x>") }] }), "no PNG"],
  [
    "a flood",
    () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1_000_000)) })),
    "too big",
  ],
])("image_gen tells of %s and writes nothing", async (_name, respond, why) => {
  answer = respond;
  const at = painter();
  const { status, text } = await at.call("image_gen", { prompt: "x" });
  expect(status).toBe("error");
  expect(text).toContain(why);
  expect(text).not.toContain("sk-");
  expect(readdirSync(at.work)).toEqual([".data"]);
});

test("image_gen has more time than other tools, up to what a call may ask for", async () => {
  answer = async () => {
    await Bun.sleep(200);
    return Response.json({ data: [{ b64_json: png.toString("base64") }] });
  };
  expect(
    (await painter({}, { timeoutMs: 20, timeoutMaxMs: 10_000 }).call("image_gen", { prompt: "x" })).status,
  ).toBe("ok");
});

test("image_gen keeps the picture in a folder that may be written when the workspace may not", async () => {
  const at = painter({}, { writeRoots: ["../outside"] });
  const { status, text } = await at.call("image_gen", { prompt: "x" });
  const path = join(at.outside, "image-2023-11-14-1.png");
  expect([status, text]).toEqual(["ok", `Drawn: ${path} (png, ${png.length} bytes).`]);
  expect(readFileSync(path).equals(png)).toBe(true);
  expect(readdirSync(at.work)).toEqual([".data"]);
});

test("image_gen ends at the time-out and when it is cancelled", async () => {
  answer = () => new Promise(() => {});
  const at = painter({}, { timeoutMs: 100, timeoutMaxMs: 100 });
  expect((await at.call("image_gen", { prompt: "x" })).status).toBe("timeout");
  await expect(at.call("image_gen", { prompt: "x" }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "cancelled",
  });
  expect(readdirSync(at.work)).toEqual([".data"]);
});

test.each([
  [{}],
  [{ prompt: "" }],
  [{ prompt: 1 }],
  [{ prompt: "x".repeat(1_000_000) }],
  [{ prompt: "x", size: "../../etc" }],
  [{ prompt: "x", size: "1x1" }],
  [{ prompt: "x", quality: "best" }],
  [{ prompt: "x", model: "y" }],
])("image_gen refuses bad arguments (%#)", async (input) => {
  expect((await painter().call("image_gen", input)).status).toBe("error");
  expect(asked).toEqual([]);
});

test("lendImages lends nothing until it is allowed, and says when there is nobody to ask", () => {
  expect(lendImages(settings({ allowImageGen: false }), provider())).toEqual({ lend: {}, warnings: [] });
  expect(lendImages(settings(), { endpoint: "", key: undefined })).toEqual({
    lend: {},
    warnings: [expect.stringContaining("OPENCLAW_IMAGE_ENDPOINT")],
  });
  const one = aWorkspace({ lend: lendImages(settings(), provider()).lend, writeRoots: [] });
  open.push(one);
  expect(one.sandbox.names).not.toContain("image_gen");
});
