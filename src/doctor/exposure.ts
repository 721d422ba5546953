import { couldCallItself } from "../config/exposure.ts";
import type { SettingRow } from "../config/setting-row.ts";
import { type Settings, settingsTable } from "../config/settings.ts";
import { isLoopback } from "../config/values.ts";
import { readToken } from "../store/kept-token.ts";
import type { Finding } from "./check.ts";

/** Who can reach this server, and what is asked of them. Throws for a kept token that a start would not take. */
export function inspectExposure(settings: Settings): Finding {
  const { bindAddress, port, authToken, clientTokens, allowedOrigins, trustedProxies, allowQueryToken } =
    settings.gateway;
  const isKept = authToken === undefined && couldCallItself(settings);
  if (isKept) readToken(settings.store.dataDir);
  const token =
    authToken !== undefined
      ? `the operator's token and ${clientTokens.length} more`
      : isKept
        ? "the token kept in the data folder"
        : "no token: everybody on this machine is the operator";
  const text = [
    `listens on ${bindAddress}:${port} (${isLoopback(bindAddress) ? "this machine only" : "others can reach it"})`,
    token,
    `origins beside its own: ${allowedOrigins.join(", ") || "none"}`,
    ...(trustedProxies.length > 0 ? [`believed proxies: ${trustedProxies.join(", ")}`] : []),
  ].join("; ");
  if (allowQueryToken)
    return {
      state: "warn",
      text: `${text}; tokens in addresses are taken, which logs keep`,
      fix: "Set OPENCLAW_ALLOW_QUERY_TOKEN=false.",
    };
  return { state: "ok", text };
}

/** Flags that take the place of a person's decision, or of a limit. */
const wide = (settings: Settings) => [
  ...(settings.agent.autonomy === "full" ? ["OPENCLAW_AUTONOMY=full: no call asks first"] : []),
  ...(settings.sandbox.allowPrivateNetwork
    ? ["OPENCLAW_ALLOW_PRIVATE_NETWORK reaches addresses inside"]
    : []),
  ...(settings.sandbox.sandbox === "none"
    ? ["OPENCLAW_SANDBOX=none: programs may do what this user may"]
    : []),
];

/** What tools may touch, by the flags that grant it. */
export function inspectGrants(settings: Settings): Finding {
  const { sandbox, agent } = settings;
  const values: Readonly<Record<string, unknown>> = sandbox;
  const flags = Object.entries<SettingRow>(settingsTable.sandbox).flatMap(([name, { env }]) => {
    const value = values[name];
    if (!name.startsWith("allow")) return [];
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${env}=${value.join(",")}`];
    return value === true ? [env] : [];
  });
  const text = [
    `autonomy ${agent.autonomy}`,
    `reads ${sandbox.readRoots.join(", ") || "nothing"}`,
    `writes ${sandbox.writeRoots.join(", ") || "nothing"}`,
    `granted: ${flags.join(", ") || "no flag"}`,
  ].join("; ");
  const found = wide(settings);
  if (found.length === 0) return { state: "ok", text };
  return { state: "warn", text: `${text}. ${found.join(". ")}.`, fix: "Take back what is not needed." };
}
