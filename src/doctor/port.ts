import type { Settings } from "../config/settings.ts";
import type { Finding } from "./check.ts";

const answerMs = 1000;
const everywhere = ["0.0.0.0", "::"];

const inUrl = (address: string) => (address.includes(":") ? `[${address}]` : address);

/** Whether what has the port answers as an openclaw does. */
async function isOpenclaw(address: string, port: number): Promise<boolean> {
  const host = everywhere.includes(address) ? "127.0.0.1" : address;
  const signal = AbortSignal.timeout(answerMs);
  try {
    const answer = await fetch(`http://${inUrl(host)}:${port}/health/live`, { signal, redirect: "error" });
    const said: unknown = await answer.json();
    return answer.ok && typeof said === "object" && said !== null && "uptime" in said;
  } catch {
    return false;
  }
}

/** Whether a start could listen where it is told to: tries it for a moment. */
export async function inspectPort({ gateway }: Pick<Settings, "gateway">): Promise<Finding> {
  const { bindAddress, port } = gateway;
  const place = `${inUrl(bindAddress)}:${port}`;
  try {
    const fetch = () => new Response(null, { status: 503 });
    await Bun.serve({ hostname: bindAddress, port, reusePort: false, development: false, fetch }).stop(true);
    return { state: "ok", text: port === 0 ? "any that is free" : `${place} is free` };
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (isTaken && (await isOpenclaw(bindAddress, port)))
      return { state: "ok", text: `${place} is taken: an openclaw server answers there` };
    return {
      state: "fail",
      text: isTaken
        ? `${place} is taken by another program.`
        : `Cannot listen on ${place}: ${error instanceof Error ? error.message : error}.`,
      fix: isTaken
        ? "Stop that program, or set OPENCLAW_PORT to another port."
        : "Set OPENCLAW_BIND_ADDRESS and OPENCLAW_PORT to a place where this user may listen.",
    };
  }
}
