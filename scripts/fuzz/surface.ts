import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

/** One way in. An input is bytes, so that every kind can be written down, given again and made smaller. */
export interface Surface {
  readonly name: string;
  /** Inputs that are given side by side. */
  readonly atOnce?: number;
  make(random: Random): Uint8Array;
  /** Gives it, and resolves to what was wrong with what came back. */
  give(input: Uint8Array, target: Target): Promise<string | undefined>;
}

/** What no client may ever be told. */
export const internalError = /"code":\s*"internal"|Something failed inside the server/;

/** A request that must be answered, however wrong it is. */
const patienceMs = 5000;

/** Asks over HTTP with the operator's token; resolves to what is wrong with the answer. */
export async function askWrongly(
  target: Target,
  path: string,
  init: RequestInit,
): Promise<string | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const controller = new AbortController();
  const timer = setTimeout(() => resolve(`gave no answer in ${patienceMs} ms to ${path}`), patienceMs);
  const answered = async () => {
    const response = await fetch(target.url() + path, { ...init, signal: controller.signal });
    // Events go on for as long as somebody listens.
    const told = response.headers.get("content-type")?.startsWith("text/event-stream")
      ? await firstOf(response)
      : await response.text();
    return response.status === 500 || internalError.test(told)
      ? `answered ${response.status} ${told.slice(0, 200)}`
      : undefined;
  };
  try {
    return await Promise.race([late, answered()]);
  } catch {
    // No connection, or one that was cut: whether the server still lives is looked at elsewhere.
    return undefined;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function firstOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const until = performance.now() + 300;
  let told = "";
  for await (const piece of response.body ?? []) {
    told += decoder.decode(piece, { stream: true });
    if (performance.now() > until) break;
  }
  return told;
}
