import { expect, test } from "bun:test";
import { loadSettings } from "../../src/config/load.ts";

const load = (OPENCLAW_DATABASES: string) =>
  loadSettings({ HOME: "/home/somebody", OPENCLAW_DATABASES }, "/");

test("databaseList reads connections, in short and in full", () => {
  const { settings } = load(
    JSON.stringify({
      sales: "postgres://u:p@host/sales",
      shop: { url: "mysql://u:p@host/shop", write: true },
      old: { url: "mariadb://host/old" },
    }),
  );
  expect(settings?.sandbox.databases).toEqual({
    sales: { kind: "postgres", url: "postgres://u:p@host/sales", write: false },
    shop: { kind: "mysql", url: "mysql://u:p@host/shop", write: true },
    old: { kind: "mysql", url: "mariadb://host/old", write: false },
  });
  expect(load("").settings?.sandbox.databases).toEqual({});
});

test.each([
  ["no JSON", "topsecret"],
  ["a list", '["postgres://u:topsecret@host/x"]'],
  ["another protocol", '{"a":"http://u:topsecret@host/x"}'],
  ["a file", '{"a":"sqlite:///topsecret.db"}'],
  ["no address", '{"a":"topsecret"}'],
  ["a name with a slash", '{"a/topsecret":"postgres://host/x"}'],
  ["a field that there is not", '{"a":{"url":"postgres://u:topsecret@host/x","readonly":true}}'],
  ["a write that is no flag", '{"a":{"url":"postgres://u:topsecret@host/x","write":"yes"}}'],
])("databaseList refuses %s and never shows it", (_, text) => {
  const [problem] = load(text).problems;
  expect(problem).toMatchObject({ env: "OPENCLAW_DATABASES" });
  expect(problem?.text).toContain("Expected JSON such as");
  expect(problem?.text.replaceAll("user:password", "")).not.toContain("topsecret@");
});
