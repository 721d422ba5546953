import { canary, type Place } from "./place.ts";
import type { Servers } from "./servers.ts";

const mebibyte = 1_048_576;

/** Everything that can be granted, with secrets of the operator beside it: what test/attacks attacks. */
export const attackGrants = ({ work, data }: Place, { service, mail }: Servers) => ({
  OPENCLAW_WORKSPACE: work,
  OPENCLAW_DATA_DIR: data,
  OPENCLAW_ALLOWED_READ_ROOTS: ".",
  OPENCLAW_ALLOWED_WRITE_ROOTS: ".",
  OPENCLAW_AUTONOMY: "full",
  OPENCLAW_MAX_BODY_BYTES: "67108864",
  OPENCLAW_CONTEXT_TOKENS: "100000000",
  OPENCLAW_TOOL_TIMEOUT_SECONDS: "3",
  OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS: "3",
  OPENCLAW_ALLOW_SHELL: "true",
  OPENCLAW_ALLOW_CODE: "javascript,python,bash,node",
  OPENCLAW_ALLOW_GIT: "true",
  OPENCLAW_ALLOW_GIT_FETCH: "true",
  OPENCLAW_ALLOW_GIT_PUSH: "true",
  OPENCLAW_ALLOW_WEB_FETCH: "true",
  OPENCLAW_ALLOW_WEB_SEARCH: "true",
  OPENCLAW_ALLOW_BROWSER: "true",
  OPENCLAW_ALLOW_BROWSER_SCRIPT: "true",
  OPENCLAW_BROWSER_IDLE_SECONDS: "2",
  OPENCLAW_ALLOW_PDF: "true",
  OPENCLAW_ALLOW_DATABASE: "true",
  OPENCLAW_ALLOW_EMAIL: "true",
  OPENCLAW_ALLOW_IMAGE_GEN: "true",
  OPENCLAW_ALLOW_PROCESS_NETWORK: "true",
  OPENCLAW_PROJECT: "attacked",
  OPENCLAW_PROCESS_COUNT: "40",
  OPENCLAW_PROCESS_MEMORY_BYTES: String(512 * mebibyte),
  OPENCLAW_PROCESS_FILE_BYTES: String(256 * mebibyte),
  OPENCLAW_WEB_SEARCH_PROVIDER: "searxng",
  OPENCLAW_WEB_SEARCH_ENDPOINT: service,
  OPENCLAW_IMAGE_ENDPOINT: `${service}/v1`,
  OPENCLAW_IMAGE_KEY: `sk-${canary}-key`,
  OPENCLAW_SMTP_URL: `smtp://claw:correct%20horse@127.0.0.1:${mail.port}`,
  OPENCLAW_EMAIL_FROM: "claw@example.com",
  OPENCLAW_EMAIL_RECIPIENTS: "*@example.com",
  OPENCLAW_DATABASES: JSON.stringify({ sales: `postgres://sales:${canary}@127.0.0.1:1/sales` }),
});
