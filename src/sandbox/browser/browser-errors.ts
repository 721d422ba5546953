import { AppError } from "../../errors.ts";

const longest = 600;
const colours = /\x1b\[[0-9;]*m/g;

/** The sentence of a Playwright error: without the name of its call, its log and colours. */
function sentenceOf(error: Error): string {
  const [said = ""] = error.message.replace(colours, "").split("\nCall log:");
  const text = said.replace(/^(?:\w+\.)?\w+: /, "").trim();
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** What the log of a call that took too long says last: why the element could not be used. */
function lastStep(error: Error): string {
  const [, steps = ""] = error.message.replace(colours, "").split("\nCall log:");
  const last = steps
    .split("\n")
    .map((line) => line.replace(/^[\s-]+/, "").trim())
    .findLast((line) => line !== "" && !/^\d+ × |^(?:retrying|waiting) /.test(line));
  return last === undefined ? "" : ` (${last.slice(0, 200)})`;
}

export const isClosedError = (error: unknown): boolean =>
  error instanceof Error &&
  /has been closed|Target closed|Page crashed|Connection closed/i.test(error.message);

/** A connection that did not come about; where the proxy refused it, the proxy knows why. */
export const isNetworkError = (error: unknown): boolean =>
  error instanceof Error && /\bnet::ERR_/.test(error.message);

/** What a code of Chromium's network means, where its name says it badly. */
const networkFaults: readonly [RegExp, string][] = [
  [/ERR_TUNNEL_CONNECTION_FAILED|ERR_EMPTY_RESPONSE/, "the host does not exist or does not answer"],
  [/ERR_UNSAFE_PORT/, "its port belongs to something that is no web server"],
  [/ERR_CERT_|ERR_SSL_/, "its certificate is not good, or it does not speak TLS"],
];

/** A failure of Playwright as one sentence that a model can act on; what is no such failure stays as it is. */
export function explainBrowser(error: unknown, what: string): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const say = (code: ConstructorParameters<typeof AppError>[0], why: string) =>
    new AppError(code, `Cannot ${what}: ${why}`, { cause: error });
  if (isClosedError(error)) {
    return say("unavailable", "the page or the browser ended in the middle. Open the page again with goto.");
  }
  if (error.name === "TimeoutError") {
    const why = `${sentenceOf(error).replace(/\.$/, "").toLowerCase()}${lastStep(error)}`;
    return say("bad_request", `${why}. Take a snapshot to see what is on the page.`);
  }
  if (/Download is starting/.test(error.message)) {
    return say("unsupported", "it is a download and not a page. Use web_fetch for it where that is granted.");
  }
  const [, fault] = networkFaults.find(([code]) => code.test(error.message)) ?? [];
  return say("bad_request", `${fault ?? sentenceOf(error).replace(/\.$/, "")}.`);
}
