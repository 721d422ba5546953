import { startTwilio } from "../../test/channels/a-twilio.ts";
import { botToken, startBotApi } from "../../test/channels/bot-api.ts";
import { scriptedModel, type Step } from "../../test/helpers/model-server.ts";

/** How the first provider behaves; the second, which takes over, is always well. */
export type ModelMood = "well" | "500" | "429" | "hang" | "cut" | "garbage" | "slow";

export const webhookSecret = "a-secret-of-the-soak";
export const telegramSecret = "telegram-secret-of-the-soak";
export const operatorToken = "the-soaks-own-token";
/** Who a webhook's and a job's answers are sent to. */
export const machineRecipient = "+15005550099";

/** What every answer to the message `id` holds. */
export const answerTo = (id: string) => `re #${id}#.`;
export const idIn = (text: string) => /#([\w.:+-]+)#/.exec(text)?.[1];

/** A message of a client; the word says what the model does with it. */
export const saying = (id: string, word = "plain") => `Please ${word} #${id}#`;

/** A message that was never answered is sent to the model in one with the next. */
const newest = (said: string) => said.slice(Math.max(0, said.lastIndexOf("Please ")));

const soon = { "retry-after-ms": "5" };

function answer(text: string): Step {
  const id = idIn(text) ?? "nobody";
  return { text: ["re ", `#${id}#`, "."] };
}

/** The first provider's step for a conversation, in its mood. */
function stepOf(mood: ModelMood, said: string, isResult: boolean): Step {
  if (mood === "500") return { status: 500 };
  if (mood === "429") return { status: 429, headers: soon };
  if (mood === "hang") return { hang: "headers" };
  if (mood === "garbage")
    return { rawBytes: ["data: {nonsense\n\n", "\0\xff\n\n", 'data: {"choices":7}\n\n'] };
  // Text that was told cannot be taken back, so that such a turn fails: where an answer is delivered it would be lost.
  if (mood === "cut" && said.includes("Please cuttable"))
    return { text: ["half ", "of "], closeAfter: 1, closeHow: "reset" };
  if (isResult) return answer(said);
  if (said.includes("Please use")) return { calls: [{ name: "time", arguments: {} }] };
  if (said.includes("Please delegate")) {
    const task = saying(`d-${idIn(said)}`, "use");
    return { calls: [{ name: "delegate_agent", arguments: { profile: "helper", task } }] };
  }
  const step = answer(said);
  return mood === "slow" ? { ...step, gate: () => Bun.sleep(100) } : step;
}

/** The world around the server: two providers, Twilio, Telegram, and a collector of telemetry that may be down. */
export function standIns() {
  let mood: ModelMood = "well";
  const model = (isSecond: boolean) =>
    scriptedModel(
      ({ messages }) => {
        const at = messages.findLastIndex(({ role }) => role === "user");
        const said = messages[at]?.content;
        const isResult = messages.slice(at + 1).some(({ role }) => role === "tool");
        return stepOf(isSecond ? "well" : mood, typeof said === "string" ? newest(said) : "", isResult);
      },
      { keep: 1 },
    );
  const servers = [model(false), model(true)] as const;
  const twilio = startTwilio({ slowMs: 10 });
  const telegram = startBotApi();
  const collector = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const providers = servers.map(({ url }, at) => ({ name: `p${at}`, endpoint: url, model: "scripted" }));
  return {
    twilio,
    telegram,
    setMood(next: ModelMood) {
      mood = next;
    },
    downCollector: () => collector.stop(true),
    env: {
      ...twilio.env,
      OPENCLAW_PROVIDERS: JSON.stringify(providers),
      OPENCLAW_FALLBACK_MODELS: "p1/scripted",
      OPENCLAW_LLM_RETRIES: "1",
      OPENCLAW_LLM_FIRST_TOKEN_SECONDS: "1",
      // No mood is silent in the middle of an answer: that would be a machine on which this process stood still.
      OPENCLAW_LLM_SILENCE_SECONDS: "10",
      OPENCLAW_BREAKER_THRESHOLD: "5",
      OPENCLAW_BREAKER_COOLDOWN_SECONDS: "2",
      OPENCLAW_AUTH_TOKEN: operatorToken,
      OPENCLAW_ALLOW_DELEGATION: "true",
      OPENCLAW_AGENTS: '[{"name": "helper", "description": "Helps."}]',
      OPENCLAW_AUTONOMY: "full",
      OPENCLAW_SMS_DM_POLICY: "open",
      OPENCLAW_TELEGRAM_DM_POLICY: "open",
      OPENCLAW_SESSION_RATE_PER_MINUTE: "0",
      OPENCLAW_CONNECTION_RATE_PER_MINUTE: "0",
      TELEGRAM_BOT_TOKEN: botToken,
      TELEGRAM_WEBHOOK_SECRET: telegramSecret,
      OPENCLAW_TELEGRAM_API_URL: telegram.url,
      OPENCLAW_WEBHOOKS: JSON.stringify({
        soak: { prompt: "{body}", delivery: { channel: "sms", recipient: machineRecipient } },
      }),
      OPENCLAW_WEBHOOKS_SOAK_SECRET: webhookSecret,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "1000",
      OPENCLAW_LOG_LEVEL: "error",
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.close()));
      await twilio[Symbol.asyncDispose]();
      telegram[Symbol.dispose]();
      await collector.stop(true);
    },
  };
}
export type StandIns = ReturnType<typeof standIns>;
