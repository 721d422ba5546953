import type { SettingRow } from "../setting-row.ts";
import { choice, httpUrl, list, text } from "../values.ts";

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
    doc: "Key for it; the model provider's when left out.",
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
} as const satisfies Record<string, SettingRow>;
