/** Bun's own limit is 256 requests in flight, and it reads this name once, before any script of ours runs. */
const requestLimit = { name: "BUN_CONFIG_MAX_HTTP_REQUESTS", value: "2000" } as const;

const kept = ["NODE_EXTRA_CA_CERTS", "NODE_USE_SYSTEM_CA", requestLimit.name];

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment in which a process may have that many model calls in flight, without other names that steer Bun. */
export const withRequestLimit = (environment: Environment): Record<string, string> => ({
  [requestLimit.name]: requestLimit.value,
  ...Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || (/^(?:BUN|NODE)_/.test(name) && !kept.includes(name)) ? [] : [[name, value]],
    ),
  ),
});

/**
 * Starts this executable again in the same process, with the same arguments, so that more than 256 model calls fit.
 * Returns, and changes nothing, when they fit already, when this is no compiled executable, or when it cannot be done.
 */
export function restartForManyRequests(environment: Environment, startFolder: string) {
  if (environment[requestLimit.name] !== undefined || !Bun.main.startsWith("/$bunfs/")) return;
  try {
    process.chdir(startFolder);
    process.execve?.(
      "/proc/self/exe",
      [process.argv0, ...process.argv.slice(2)],
      withRequestLimit(environment),
    );
  } catch {
    // The start folder is gone, or this host allows no exec: it serves with Bun's own limit.
  }
  process.chdir("/");
}
