import type { Environment } from "./setting-row.ts";

/** The variables that this process was started with: the one place that reads them. */
export const environment = (): Environment => process.env;

/** True when requests may go by way of a proxy. */
export const usesProxy = (of: Environment) =>
  Object.keys(of).some((name) => /^(?:https?|all)_proxy$/i.test(name));

/**
 * Keeps requests to this machine away from a proxy that the environment names: it could not reach our server or a
 * local model, and has no business in between.
 */
export function bypassProxyForLoopback() {
  if (!usesProxy(process.env)) return;
  // `fetch` looks at both names, the lower case one first, and at the time of the request.
  for (const name of ["no_proxy", "NO_PROXY"])
    process.env[name] = [process.env[name], "localhost", "127.0.0.1", "[::1]", "::1"]
      .filter(Boolean)
      .join(",");
}
