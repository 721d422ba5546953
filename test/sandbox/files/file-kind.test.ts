import { expect, test } from "bun:test";
import { binaryKind, sizeText } from "../../../src/sandbox/files/file-kind.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

test.each([
  ["\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"],
  ["\xff\xd8\xff\xe0", "a JPEG image"],
  ["%PDF-1.7\n%text", "a PDF document"],
  ["PK\x03\x04\0\0", "a ZIP archive (or an Office document)"],
  ["\x7fELF\x02\x01", "an ELF executable"],
  ["RIFF\0\0\0\0WEBPVP8 ", "a WebP image"],
  ["\xff\xfeh\0i\0", "UTF-16 text"],
  ["some\0thing", "a binary file"],
])("binaryKind knows %j", (text, kind) => {
  expect(binaryKind(bytes(text))).toBe(kind);
});

test.each([
  "",
  "plain text",
  "\xef\xbb\xbfwith a mark",
  "BZh is a name",
  "ID3 tags",
  "gr\xfc\xdfe",
  "GIF89a is a format",
])("binaryKind takes %j for a text", (text) => {
  expect(binaryKind(bytes(text))).toBeUndefined();
});

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1.0 kB"],
  [12_345, "12 kB"],
  [10 * 1024 * 1024, "10 MB"],
  [3e15, "3000 TB"],
])("sizeText writes %d as %s", (size, text) => {
  expect(sizeText(size)).toBe(text);
});
