import { AppError, httpStatus, publicError } from "../errors.ts";
import { gatewayLog as log } from "../telemetry/log.ts";

/** On every answer: it is no page that may be framed, guessed at or kept, unless a route says otherwise. */
export const safeHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
} as const;

const jsonHeaders = { ...safeHeaders, "content-type": "application/json" } as const;

/** An answer whose body is JSON text already. */
export const jsonText = (
  text: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response => new Response(text, { status, headers: { ...jsonHeaders, ...headers } });

export const json = (body: unknown, status = 200, headers?: Readonly<Record<string, string>>): Response =>
  jsonText(JSON.stringify(body), status, headers);

function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** The body of an error as clients of the OpenAI API read it. */
export function errorBody(error: AppError) {
  const { message, code, param } = error;
  return { error: { message, type: errorType(httpStatus[code]), code, param: param ?? null } };
}

/** Logs what the outside may not hear; `requestId` is how the two are brought together. */
export function toPublic(error: unknown, where: string, requestId: string): AppError {
  const told = publicError(error);
  if (told.code === "internal") log.error("a request failed", { where, requestId, error });
  return told;
}

/** The HTTP answer to whatever was thrown. */
export function errorResponse(
  thrown: unknown,
  where: string,
  requestId: string = Bun.randomUUIDv7(),
): Response {
  const error = toPublic(thrown, where, requestId);
  const seconds =
    error.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
  return json(errorBody(error), httpStatus[error.code], {
    "x-request-id": requestId,
    ...(seconds !== undefined && { "retry-after": String(seconds) }),
    ...(error.code === "unauthorized" && { "www-authenticate": "Bearer" }),
  });
}
