import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { startTwilio } from "../../test/channels/a-twilio.ts";
import { botToken, startBotApi } from "../../test/channels/bot-api.ts";
import { type RunningExecutable, startExecutable, temporaryFolder } from "../../test/helpers/executable.ts";
import { scriptedModel } from "../../test/helpers/model-server.ts";
import { obey } from "../../test/helpers/tool-run.ts";

export const token = "the-fuzzers-own-token";
export const webhookSecret = "a-secret-of-the-fuzzer";
export const telegramSecret = "telegram-secret-of-the-fuzzer";
/** Stands in what is said to a model that shall answer with certain bytes; their number follows. */
export const bytesMarker = "answer with bytes ";

/** What the log says when something went wrong inside that should not. */
const faultLines =
  /nobody caught|a request failed|A tool failed|an answer broke off|effect of a call could not|said what it should not|a turn could not be ended|panic|segfault/i;

/** The executable with everything that parses switched on, and what stands in for the world around it. */
export interface Target extends AsyncDisposable {
  url(): string;
  port(): number;
  pid(): number;
  readonly workspace: string;
  /** The number under which the model then answers with these bytes. */
  keepBytes(bytes: Uint8Array): number;
  /** What the log has told of faults since it was last asked, and whether the process is still there. */
  faults(): readonly string[];
  /** Starts it anew where it has ended. */
  revive(): Promise<void>;
}

export async function startTarget(): Promise<Target> {
  const folder = await temporaryFolder();
  const workspace = join(folder.path, "work");
  mkdirSync(workspace);
  const bytes = new Map<number, Uint8Array>();
  let kept = 0;
  const model = scriptedModel(
    (body) => {
      const said = body.messages.findLast(({ role }) => role === "user")?.content;
      const number = new RegExp(`${bytesMarker}(\\d+)`).exec(typeof said === "string" ? said : "")?.[1];
      const raw = number === undefined ? undefined : bytes.get(Number(number));
      if (raw === undefined) return obey(body);
      return body.stream ? { rawBytes: [raw] } : { body: Buffer.from(raw).toString("latin1") };
    },
    { keep: 1 },
  );
  const twilio = startTwilio();
  const telegram = startBotApi();
  const webhooks = Object.fromEntries(
    (["github", "stripe", "slack"] as const).map((signature) => [
      signature,
      { prompt: "It said {body} and {a.b.0}", session: "webhook:{a.b}", signature },
    ]),
  );
  const env = {
    ...twilio.env,
    MODEL_PROVIDER_ENDPOINT: model.url,
    MODEL_PROVIDER_MODEL: "scripted",
    OPENCLAW_AUTH_TOKEN: token,
    OPENCLAW_DATA_DIR: join(folder.path, "data"),
    OPENCLAW_WORKSPACE: workspace,
    OPENCLAW_ALLOWED_READ_ROOTS: ".",
    OPENCLAW_ALLOW_PDF: "true",
    OPENCLAW_AUTONOMY: "full",
    OPENCLAW_TOOL_TIMEOUT_SECONDS: "3",
    OPENCLAW_TOOL_TIMEOUT_MAX_SECONDS: "3",
    OPENCLAW_LLM_RETRIES: "0",
    OPENCLAW_LLM_FIRST_TOKEN_SECONDS: "1",
    OPENCLAW_LLM_SILENCE_SECONDS: "1",
    OPENCLAW_LLM_TIMEOUT_SECONDS: "3",
    OPENCLAW_BREAKER_THRESHOLD: "0",
    OPENCLAW_CONNECTION_RATE_PER_MINUTE: "0",
    OPENCLAW_MAX_JOBS: "1000",
    OPENCLAW_SMS_DM_POLICY: "open",
    OPENCLAW_TELEGRAM_DM_POLICY: "open",
    TELEGRAM_BOT_TOKEN: botToken,
    TELEGRAM_WEBHOOK_SECRET: telegramSecret,
    OPENCLAW_TELEGRAM_API_URL: telegram.url,
    OPENCLAW_WEBHOOKS: JSON.stringify(webhooks),
    OPENCLAW_WEBHOOKS_GITHUB_SECRET: webhookSecret,
    OPENCLAW_WEBHOOKS_STRIPE_SECRET: webhookSecret,
    OPENCLAW_WEBHOOKS_SLACK_SECRET: webhookSecret,
    OPENCLAW_LOG_LEVEL: "warn",
  };
  let server: RunningExecutable = await startExecutable(env);
  let read = 0;
  const isThere = () => existsSync(`/proc/${server.pid}/exe`);

  return {
    url: () => server.url,
    port: () => Number(new URL(server.url).port),
    pid: () => server.pid,
    workspace,
    keepBytes(given) {
      // Only the newest are asked for.
      bytes.delete(kept - 100);
      bytes.set(++kept, given);
      return kept;
    },
    faults() {
      const said = server.stderr();
      const fresh = said.slice(read);
      read = said.length;
      const lines = fresh.split("\n").filter((line) => faultLines.test(line));
      return isThere() ? lines : [...lines, `the process ended: ${said.slice(-1000)}`];
    },
    async revive() {
      if (isThere()) return;
      await server[Symbol.asyncDispose]();
      server = await startExecutable(env);
      read = 0;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await model.close();
      telegram[Symbol.dispose]();
      await twilio[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
