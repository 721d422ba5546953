import { AppError } from "../errors.ts";

/** What a failure of a model call is good for; each wrapper asks one of these. */

/** The same request may go well a little later. */
export const mayPass = (error: unknown) => error instanceof AppError && error.upstream?.retryable === true;

const theProvider = new Set(["provider_error", "provider_timeout", "rate_limited"]);
/** The request itself is wrong, and is so for every model. */
const theRequest = new Set([400, 413, 422]);

/** Another model may answer. */
export const mayGoElsewhere = (error: unknown): error is AppError =>
  error instanceof AppError &&
  (theProvider.has(error.code) || error.code === "unavailable" || error.code === "model_not_found") &&
  !theRequest.has(error.upstream?.status ?? 0);

/** The provider is at fault, and would be for the next request too: no refusal of what was asked. */
export function speaksAgainst(error: unknown): boolean {
  if (!(error instanceof AppError) || !theProvider.has(error.code)) return false;
  const status = error.upstream?.status;
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

/** What went wrong in a few words, for people. */
export function inShort(error: unknown): string {
  if (!(error instanceof AppError)) return "provider failed";
  if (error.code === "rate_limited") return "provider busy";
  if (error.code === "provider_timeout") return "provider too slow";
  if (error.code === "unavailable") return "provider left alone";
  if (error.code === "model_not_found") return "model unknown";
  const status = error.upstream?.status;
  if (status === 503 || status === 529) return "provider busy";
  return status === undefined ? "connection to the provider lost" : `provider failed (${status})`;
}
