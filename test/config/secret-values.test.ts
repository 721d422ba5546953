import { expect, test } from "bun:test";
import { loadSettings, settingRows } from "../../src/config/load.ts";
import { secretValues } from "../../src/config/secret-values.ts";

const secrets = {
  OPENCLAW_AUTH_TOKEN: "the-operators-token",
  OPENCLAW_CLIENT_TOKENS: "alice=the-token-of-alice,bob=the-token-of-bob-1",
  OPENCLAW_DATABASE_URL: "postgres://someone:p%40ss%2Fword@db.example/openclaw",
  OPENCLAW_PROVIDERS: JSON.stringify([
    { name: "p", endpoint: "https://llm.example/v1", key: "the-key-of-p", model: "m" },
  ]),
  OPENCLAW_DATABASES: JSON.stringify({
    sales: "postgres://reader:sales%2Fpassword@db.example/sales",
    shop: { url: "mysql://writer:shop-password@db.example/shop", write: true },
  }),
  OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=the-key-of-the-collector",
  OPENCLAW_SMTP_URL: "smtps://mailer:mail-password@mail.example:465",
};

test("secretValues finds every secret in the settings, and neither names nor addresses beside them", () => {
  const { settings, problems } = loadSettings({ HOME: "/nowhere", ...secrets }, "/");
  expect(problems).toEqual([]);
  if (settings === undefined) throw new Error("There are no settings.");
  const values = secretValues(settings);
  for (const value of [
    "the-operators-token",
    "the-token-of-alice",
    "the-token-of-bob-1",
    "p%40ss%2Fword",
    "p@ss/word",
    "the-key-of-p",
    "mail-password",
    "sales%2Fpassword",
    "sales/password",
    "shop-password",
    "the-key-of-the-collector",
  ])
    expect(values).toContain(value);
  for (const value of ["alice", "p", "m", "https://llm.example/v1", "sales", "mysql", "x-api-key"])
    expect(values).not.toContain(value);
});

test("secretValues finds a value for each row that is secret", () => {
  const rows = settingRows().filter(({ secret }) => secret === true);
  expect(rows.length).toBeGreaterThan(4);
  const { settings } = loadSettings({ HOME: "/nowhere" }, "/");
  expect(settings && secretValues(settings)).toEqual([]);
});

test("secretValues finds all secrets of a family of variables, whatever its names are", () => {
  const OPENCLAW_WEBHOOKS_DEPLOYS_SECRET = "the-old-secret,the-new-secret";
  const { settings } = loadSettings({ HOME: "/nowhere", OPENCLAW_WEBHOOKS_DEPLOYS_SECRET }, "/");
  expect(settings && secretValues(settings)).toEqual(["the-old-secret", "the-new-secret"]);
});
