/** Every code that a caller may see, with the HTTP status that it travels under. */
export const httpStatus = {
  bad_request: 400,
  unsupported: 400,
  unknown_type: 400,
  unauthorized: 401,
  budget_exceeded: 402,
  forbidden: 403,
  not_found: 404,
  model_not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  step_limit: 422,
  // Not a conflict: clients of the OpenAI API try a 409 again by themselves.
  key_reused: 422,
  rate_limited: 429,
  cancelled: 499,
  internal: 500,
  provider_error: 502,
  busy: 503,
  unavailable: 503,
  provider_timeout: 504,
} as const;

export type ErrorCode = keyof typeof httpStatus;

/** What a model's provider did, for those who decide whether to ask again, and whom. */
export interface Upstream {
  /** Of its answer; absent when there was none. */
  readonly status?: number;
  /** True when the same request may succeed a little later. */
  readonly retryable: boolean;
  /** It had taken the request and begun to answer, which is billed. */
  readonly begun?: true;
  /** What it said, and the parameter that it named. */
  readonly said?: string;
  readonly param?: string;
}

export interface ErrorDetails {
  cause?: unknown;
  /** How long the caller should wait before it asks again; becomes `Retry-After`. */
  retryAfterMs?: number;
  /** The field of the request that was at fault, by its name on the wire. */
  param?: string;
  upstream?: Upstream;
}

/** The one error type: what could not be done, why, and with what value. Anything else thrown is `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly param: string | undefined;
  readonly upstream: Upstream | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AppError";
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.param = details.param;
    this.upstream = details.upstream;
  }
}

/** What the outside may hear of an error: our own as they are, any other as one sentence. */
export const publicError = (error: unknown): AppError =>
  error instanceof AppError
    ? error
    : new AppError("internal", "Something failed inside the server; its log has the details.", {
        cause: error,
      });

/** Said wherever a slot or a queue is full; clients of OpenClaw.NET know this sentence. */
export const busy = (cause?: string) =>
  new AppError("busy", "Server is busy. Please retry.", { retryAfterMs: 1000, cause });

const sessionFullText = "As many turns wait in this session as may.";

/** Said where only the line of one session is full: others are taken meanwhile. */
export const sessionBusy = () => busy(sessionFullText);

export const isSessionBusy = (reason: unknown): reason is AppError =>
  reason instanceof AppError && reason.cause === sessionFullText;

export const cancelled = (what = "The turn was cancelled.") => new AppError("cancelled", what);

const stoppingText = "The server is stopping; the turn goes on when it starts again.";

/** Why a turn is ended by a drain: it is not cancelled, the next start goes on with it. */
export const stopping = () => new AppError("unavailable", stoppingText, { retryAfterMs: 5000 });

export const isStopping = (reason: unknown) => reason instanceof AppError && reason.message === stoppingText;
