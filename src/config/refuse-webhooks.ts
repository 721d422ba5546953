import type { Problem } from "./load.ts";
import type { Settings } from "./settings.ts";

/** The channels that are switched on, by their names. */
function channelsOn({ channels }: Pick<Settings, "channels">): ReadonlySet<string> {
  const { telegramToken, twilioAccount, twilioToken, twilioFrom, slackToken, slackSecret } = channels;
  const needs = {
    telegram: [telegramToken],
    sms: [twilioAccount, twilioToken, twilioFrom],
    slack: [slackToken, slackSecret],
  };
  const isOn = ([, values]: [string, (string | undefined)[]]) => values.every((value) => value !== undefined);
  return new Set(
    Object.entries(needs)
      .filter(isOn)
      .map(([name]) => name),
  );
}

/** Webhooks that anybody could call, or whose answer could not go where it is to go. */
export function refuseWebhooks(settings: Pick<Settings, "channels" | "agent">): readonly Problem[] {
  const { webhooks, webhookSecrets } = settings.channels;
  const on = channelsOn(settings);
  const agents = new Set(settings.agent.agents.map(({ name }) => name));
  return Object.entries(webhooks).flatMap(([name, { agent, delivery }]) => {
    const env = `OPENCLAW_WEBHOOKS_${name.toUpperCase().replaceAll("-", "_")}_SECRET`;
    const problems: Problem[] = [];
    if ((webhookSecrets[name] ?? []).length === 0)
      problems.push({
        env,
        text: `OPENCLAW_WEBHOOKS holds ${name}, but ${env} is not set, so nobody could prove to be its sender. Set it to the secret that the sender signs with.`,
      });
    if (delivery !== undefined && !on.has(delivery.channel))
      problems.push({
        env: "OPENCLAW_WEBHOOKS",
        text: `OPENCLAW_WEBHOOKS: ${name} delivers to the channel ${delivery.channel}, which is not on (${on.size === 0 ? "none is" : `on: ${[...on].join(", ")}`}). Set what turns it on, or take the delivery away.`,
      });
    if (agent !== undefined && !agents.has(agent))
      problems.push({
        env: "OPENCLAW_WEBHOOKS",
        text: `OPENCLAW_WEBHOOKS: ${name} is for the agent ${agent}, which OPENCLAW_AGENTS does not hold.`,
      });
    return problems;
  });
}
