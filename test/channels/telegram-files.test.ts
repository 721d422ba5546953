import { expect, test } from "bun:test";
import * as v from "valibot";
import { createTelegramApi } from "../../src/channels/telegram-api.ts";
import { bestPhoto, readAttachments } from "../../src/channels/telegram-files.ts";
import { Message } from "../../src/channels/telegram-update.ts";
import { aMessage, botToken, startBotApi } from "./bot-api.ts";

const signal = AbortSignal.timeout(20_000);
const photo = (file_id: string, file_size: number) => ({ file_id, file_size, width: 1, height: 1 });
const attached = (url: string, more: object) =>
  readAttachments(createTelegramApi(url, botToken), v.parse(Message, aMessage(more)));

test("bestPhoto takes the largest that is small enough", () => {
  const sizes = [photo("a", 100), photo("c", 9_000_000), photo("b", 5_000_000)];
  expect(bestPhoto(sizes)?.file_id).toBe("b");
  expect(bestPhoto([photo("c", 9_000_000)])?.file_id).toBe("c");
  expect(bestPhoto([])).toBeUndefined();
});

test("readAttachments fetches a photo's bytes when they are wanted, and no more than allowed", async () => {
  using api = startBotApi();
  api.script(
    "getFile",
    () => ({ file_path: "photos/file_1.jpg" }),
    () => ({ file_path: "photos/file_1.jpg" }),
  );
  const [image] = attached(api.url, { photo: [photo("a", 10)] });
  expect(image).toMatchObject({ kind: "image", name: "photo-5.jpg", type: "image/jpeg", size: 10 });
  expect(api.calls).toEqual([]);
  expect(new TextDecoder().decode(await image?.bytes(10, signal))).toBe("0123456789");
  await expect(image?.bytes(9, signal)).rejects.toMatchObject({ code: "payload_too_large" });
});

test("readAttachments tells a document by its type, and asks for no path outside", async () => {
  using api = startBotApi();
  const [file] = attached(api.url, {
    document: { file_id: "d", file_name: "../a.pdf", mime_type: "application/pdf" },
  });
  expect(file).toMatchObject({ kind: "file", name: "../a.pdf", type: "application/pdf" });
  for (const file_path of ["../../etc/passwd", "/var/lib/x", "a/../b", "a b", "a?x", ""]) {
    api.script("getFile", () => ({ file_path }));
    expect(await file?.bytes(10, signal).catch((error) => error.code)).toBe("provider_error");
  }
});
