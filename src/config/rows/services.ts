import { databaseList } from "../database-list.ts";
import type { SettingRow } from "../setting-row.ts";
import { choice, httpUrl, list, text, timeout } from "../values.ts";

/** Services that tools speak to on the operator's behalf. */
export const serviceRows = {
  browserPath: {
    env: "OPENCLAW_BROWSER_PATH",
    schema: text,
    path: "start",
    doc: "Chromium or Chrome for `browser`; found by itself when left out.",
  },
  browserCdpUrl: {
    env: "OPENCLAW_BROWSER_CDP_URL",
    schema: text,
    secret: true,
    doc: "A running browser for `browser`, as `http://…` or `ws://…` of its DevTools, instead of one of our own.",
  },
  browserIdleMs: {
    env: "OPENCLAW_BROWSER_IDLE_SECONDS",
    schema: timeout,
    fallback: "300",
    doc: "A page of `browser` that no call has used for so long is closed, and Chromium when it has had none for so long.",
  },
  searchProvider: {
    env: "OPENCLAW_WEB_SEARCH_PROVIDER",
    schema: choice(["tavily", "brave", "searxng"]),
    fallback: "tavily",
    doc: "Who answers `web_search`.",
  },
  searchKey: {
    env: "OPENCLAW_WEB_SEARCH_KEY",
    schema: text,
    secret: true,
    doc: "Key of Tavily or Brave.",
  },
  searchEndpoint: {
    env: "OPENCLAW_WEB_SEARCH_ENDPOINT",
    schema: httpUrl,
    doc: "Base URL of the search provider; needed for SearXNG.",
  },
  imageModel: {
    env: "OPENCLAW_IMAGE_MODEL",
    schema: text,
    fallback: "gpt-image-1",
    doc: "Model of `image_gen`.",
  },
  imageEndpoint: {
    env: "OPENCLAW_IMAGE_ENDPOINT",
    schema: httpUrl,
    doc: "Base URL of an OpenAI-compatible images endpoint; the model provider's when left out.",
  },
  imageKey: {
    env: "OPENCLAW_IMAGE_KEY",
    schema: text,
    secret: true,
    doc: "Key for it; when left out the model provider's, for an endpoint on the same host.",
  },
  smtpUrl: {
    env: "OPENCLAW_SMTP_URL",
    schema: text,
    secret: true,
    doc: "Mail server of `email`, as `smtps://user:password@host:465` or `smtp://host:587`.",
  },
  emailFrom: {
    env: "OPENCLAW_EMAIL_FROM",
    schema: text,
    doc: "Sender of mail.",
  },
  emailRecipients: {
    env: "OPENCLAW_EMAIL_RECIPIENTS",
    schema: list,
    fallback: "",
    doc: "Recipients that mail may go to, separated by commas: `ada@example.com`, `*@example.com`. Empty: none.",
  },
  databases: {
    env: "OPENCLAW_DATABASES",
    schema: databaseList,
    fallback: "",
    secret: true,
    doc: 'Connections of `database`, by name, as JSON: `{"sales": "postgres://user:password@host/sales", "shop": {"url": "mysql://…", "write": true}}`. Only what says `"write": true` may be changed. Give them users that may do no more than they need: what a user may start by reading (functions, files of the server), only its rights can stop.',
  },
} as const satisfies Record<string, SettingRow>;
