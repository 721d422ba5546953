import type { ExitCode, Invocation } from "./command.ts";
import { readClientSettings, reportProblems } from "./read-settings.ts";
import { serverUrl } from "./server-address.ts";

const timeoutMs = 3000;

/** Asks the server of these settings whether it lives: 0 when it does, 1 when not. What a container runtime calls. */
export async function healthCheck({ startFolder }: Invocation): Promise<ExitCode> {
  const loaded = readClientSettings(startFolder);
  if (!loaded.settings) {
    reportProblems(loaded);
    return 2;
  }
  const url = `${serverUrl(loaded.settings)}/health/live`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    if (response.ok) return 0;
    console.error(`${url} answers ${response.status}.`);
  } catch (error) {
    console.error(`${url} does not answer: ${error instanceof Error ? error.message : error}`);
  }
  return 1;
}
