import { AppError } from "../errors.ts";
import { maskOurs } from "../telemetry/mask.ts";
import { excerpt, parseJson, readList, readObject, readText } from "./foreign-json.ts";
import { type Provider, settingOf } from "./providers.ts";

/** What a fault may name of its provider. */
export type FaultSource = Pick<Provider, "name" | "isNamed" | "endpoint" | "key">;

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
  /** The answer ended before it was whole. */
  cut(what: string, said?: string): AppError;
  /** It took too long: `what` goes on with "The provider at … ". */
  timedOut(what: string): AppError;
}

export function createFaults(source: FaultSource): Faults {
  const host = new URL(source.endpoint).host;
  const provider = `The provider at ${host}`;
  // A reload replaces the key, and what a provider answers to a call from before may hold the old one.
  const shown = (said: string, most?: number) => excerpt(maskOurs(said, "[key]"), source.key, most);
  const quote = (said: string) => (said.trim() === "" ? "" : ` It said: ${shown(said)}`);

  function byStatus(status: number, body: unknown, text: string, headers: Headers): AppError {
    const said = messageOf(body) || text;
    const quoted = quote(said);
    const upstream = {
      status,
      retryable: isPassing(status, errorCodeOf(body)),
      said: shown(said, 1000),
      param: paramOf(body),
    };
    const retryAfterMs = readRetryAfter(headers);
    if (status === 429) {
      const message = `${provider} is limiting our requests (429).${quoted}`;
      return new AppError("rate_limited", message, { retryAfterMs, upstream });
    }
    if (status === 404 && /\bmodel\b/i.test(said)) {
      return new AppError(
        "model_not_found",
        `${provider} does not know this model (404). Choose another with ${settingOf(source, "model")}.${quoted}`,
        { upstream },
      );
    }
    const message = `${provider} ${explainStatus(status, source)}${quoted}`;
    return new AppError("provider_error", message, { retryAfterMs, upstream });
  }

  return {
    refused(status, body, headers) {
      if (status >= 300 && status < 400) {
        const target = shown(headers.get("location") ?? "another address");
        return new AppError(
          "provider_error",
          `${provider} redirects to ${target} (${status}), which is not followed, so that the key stays where it belongs. If that is right, set ${settingOf(source, "endpoint")} to it.`,
          { upstream: { status, retryable: false } },
        );
      }
      return byStatus(status, parseJson(body), body, headers);
    },
    reported(error) {
      const status = readObject(error)?.code ?? readObject(error)?.status;
      const said = JSON.stringify(error);
      if (typeof status === "number" && status >= 400 && status < 600)
        return byStatus(status, { error }, said, new Headers());
      const message = `${provider} failed while it answered.${quote(messageOf({ error }) || said)}`;
      const retryable = /overloaded|unavailable|server_error|rate_limit/.test(errorCodeOf({ error }));
      return new AppError("provider_error", message, { upstream: { retryable } });
    },
    unreachable(error) {
      const fix = `Check that it runs and that ${settingOf(source, "endpoint")} is right.`;
      const message = `Cannot reach the provider at ${host}: ${explainNetwork(error)}. ${fix}`;
      return new AppError("provider_error", message, {
        cause: error,
        upstream: { retryable: mayComeBack(error) },
      });
    },
    lost(error) {
      const message = `${provider} broke off in the middle of the answer: ${explainNetwork(error)}.`;
      return new AppError("provider_error", message, {
        cause: error,
        upstream: { retryable: true, begun: true },
      });
    },
    cut: (what, said = "") =>
      new AppError("provider_error", `${provider} ${what}.${quote(said)}`, {
        upstream: { retryable: true, begun: true },
      }),
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

const networkCode = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

/** A name that does not exist or a wrong certificate will be no better in a second. */
const mayComeBack = (error: unknown) => !/ENOTFOUND|EPROTO|CERT|TLS|SSL|SIGNED/.test(networkCode(error));

function explainNetwork(error: unknown): string {
  const code = networkCode(error);
  const name = code || (error instanceof Error ? error.name : "no details");
  const known =
    networkFaults[code] ?? (/CERT|TLS|SSL|SIGNED/.test(code) ? "its certificate is not valid" : undefined);
  return `${known ?? "the connection failed"} (${excerpt(name)})`;
}

function explainStatus(status: number, source: FaultSource): string {
  if (status === 401 || status === 403)
    return `refused the key (${status}). Check ${settingOf(source, "key")}.`;
  if (status === 402) return "says that the account has no credit left (402).";
  if (status === 404) {
    const { origin, pathname } = new URL(source.endpoint);
    return `knows no ${origin}${pathname} (404). Check ${settingOf(source, "endpoint")}; it usually ends in /v1.`;
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

/** The word that a provider has for what is wrong, in small letters. */
function errorCodeOf(body: unknown): string {
  const error = readObject(readObject(Array.isArray(body) ? body[0] : body)?.error);
  return `${readText(error?.code)} ${readText(error?.type)}`.toLowerCase();
}

/** The parameter that a refusal names; Mistral and FastAPI have it in a list of details. */
function paramOf(body: unknown): string | undefined {
  const found = readObject(body);
  const named = readText(readObject(found?.error)?.param);
  const place = readList(readObject(readList(found?.detail)[0])?.loc);
  return named || readText(place[1]) || undefined;
}

/** What may go well a little later. An account without credit says 429 too, and stays without. */
function isPassing(status: number, code: string): boolean {
  if (status === 429) return !/insufficient_quota|billing/.test(code);
  return status === 408 || status === 409 || (status >= 500 && status !== 501 && status !== 505);
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
