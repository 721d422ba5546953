import { shown } from "./paths.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Prepared } from "./tool.ts";

/** The sandbox as a turn sees it that may use these tools only (all of them when absent): the others are not there. */
export function limited(sandbox: Sandbox, only: readonly string[] | undefined): Sandbox {
  if (only === undefined) return sandbox;
  const allowed = new Set(only);
  const names = sandbox.names.filter((name) => allowed.has(name));

  const refused = (name: string): Prepared => ({
    ok: false,
    result: {
      status: "denied",
      reason: "not_granted",
      text: `The tool ${shown(name)} is not granted to this turn. There are: ${names.join(", ") || "none"}. Do without it.`,
      images: [],
    },
  });

  return {
    names,
    get offers() {
      return sandbox.offers.filter(({ name }) => allowed.has(name));
    },
    describe: () => sandbox.describe().filter(({ name }) => allowed.has(name)),
    prepare: (name, argumentsText, problem) =>
      allowed.has(name) ? sandbox.prepare(name, argumentsText, problem) : refused(name),
  };
}
