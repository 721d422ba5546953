import { AppError } from "../errors.ts";
import { excerpt, parseJson, readObject, readText } from "./foreign-json.ts";

/** What a fault may name of its provider. */
export interface FaultSource {
  readonly endpoint: string;
  readonly key?: string;
}

/** Makes the errors of one provider: each says which host it was and what to do, none shows the key. */
export interface Faults {
  /** An answer with a status other than success; `body` may be cut short. */
  refused(status: number, body: string, headers: Headers): AppError;
  /** An error that came inside an answer of status 200. */
  reported(error: unknown): AppError;
  /** No answer at all: refused, reset, no such name, no TLS. */
  unreachable(error: unknown): AppError;
  /** The connection broke while the answer came. */
  lost(error: unknown): AppError;
  /** The provider did what it must not: `what` goes on with "The provider at … ", `said` is quoted. */
  broken(what: string, said?: string): AppError;
  /** It took too long: `what` goes on with "The provider at … ". */
  timedOut(what: string): AppError;
}

export function createFaults({ endpoint, key }: FaultSource): Faults {
  const host = new URL(endpoint).host;
  const provider = `The provider at ${host}`;
  const quote = (said: string) => (said.trim() === "" ? "" : ` It said: ${excerpt(said, key)}`);

  function byStatus(status: number, said: string, headers: Headers): AppError {
    const quoted = quote(said);
    if (status === 429) {
      const retryAfterMs = readRetryAfter(headers);
      return new AppError("rate_limited", `${provider} is limiting our requests (429).${quoted}`, {
        retryAfterMs,
      });
    }
    if (status === 404 && /\bmodel\b/i.test(said)) {
      return new AppError(
        "model_not_found",
        `${provider} does not know this model (404). Choose another with MODEL_PROVIDER_MODEL.${quoted}`,
      );
    }
    return new AppError("provider_error", `${provider} ${explainStatus(status, endpoint)}${quoted}`);
  }

  return {
    refused(status, body, headers) {
      if (status >= 300 && status < 400) {
        const target = excerpt(headers.get("location") ?? "another address", key);
        return new AppError(
          "provider_error",
          `${provider} redirects to ${target} (${status}), which is not followed, so that the key stays where it belongs. If that is right, set MODEL_PROVIDER_ENDPOINT to it.`,
        );
      }
      return byStatus(status, messageOf(parseJson(body)) || body, headers);
    },
    reported(error) {
      const status = readObject(error)?.code ?? readObject(error)?.status;
      const said = messageOf({ error }) || JSON.stringify(error);
      if (typeof status === "number" && status >= 400 && status < 600)
        return byStatus(status, said, new Headers());
      return new AppError("provider_error", `${provider} failed while it answered.${quote(said)}`);
    },
    unreachable(error) {
      const fix = "Check that it runs and that MODEL_PROVIDER_ENDPOINT is right.";
      const message = `Cannot reach the provider at ${host}: ${explainNetwork(error)}. ${fix}`;
      return new AppError("provider_error", message, { cause: error });
    },
    lost(error) {
      const message = `${provider} broke off in the middle of the answer: ${explainNetwork(error)}.`;
      return new AppError("provider_error", message, { cause: error });
    },
    broken: (what, said = "") => new AppError("provider_error", `${provider} ${what}.${quote(said)}`),
    timedOut: (what) => new AppError("provider_timeout", `${provider} ${what}.`),
  };
}

const networkFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ConnectionRefused: "nothing listens there",
  ECONNRESET: "it closed the connection",
  ConnectionClosed: "it closed the connection",
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "its name cannot be resolved now",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network to it",
  ETIMEDOUT: "it did not answer",
  EPROTO: "it does not speak TLS on this port",
};

function explainNetwork(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const name = code || (error instanceof Error ? error.name : "no details");
  const known =
    networkFaults[code] ?? (/CERT|TLS|SSL|SIGNED/.test(code) ? "its certificate is not valid" : undefined);
  return `${known ?? "the connection failed"} (${excerpt(name)})`;
}

function explainStatus(status: number, endpoint: string): string {
  if (status === 401 || status === 403) return `refused the key (${status}). Check MODEL_PROVIDER_KEY.`;
  if (status === 402) return "says that the account has no credit left (402).";
  if (status === 404) {
    const { origin, pathname } = new URL(endpoint);
    return `knows no ${origin}${pathname} (404). Check MODEL_PROVIDER_ENDPOINT; it usually ends in /v1.`;
  }
  if (status === 413) return "finds the request too large (413).";
  if (status >= 500) return `failed (${status}).`;
  return `refused the request (${status}).`;
}

/** The sentence in an error body, whichever of the usual shapes it has. */
function messageOf(body: unknown): string {
  const found = readObject(Array.isArray(body) ? body[0] : body);
  const error = readObject(found?.error);
  return (
    readText(error?.message) || readText(found?.error) || readText(found?.message) || readText(found?.detail)
  );
}

const longestWaitMs = 3_600_000;

/** `retry-after-ms`, else `Retry-After` in seconds or as a date, in milliseconds. */
export function readRetryAfter(headers: Headers, now = Date.now()): number | undefined {
  const after = headers.get("retry-after");
  const waits = [
    readNumber(headers.get("retry-after-ms")),
    readNumber(after) * 1000,
    after === null ? Number.NaN : Date.parse(after) - now,
  ];
  const wait = waits.find(Number.isFinite);
  return wait === undefined ? undefined : Math.round(Math.min(Math.max(wait, 0), longestWaitMs));
}

const readNumber = (text: string | null) => (text === null || text.trim() === "" ? Number.NaN : Number(text));
