/** How long an answer asks to be left alone: its `Retry-After` in seconds, or as a date. Undefined when it does not say. */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const told = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}(\.\d+)?$/.test(told)) return Math.round(Number(told) * 1000);
  const at = /\d{4}/.test(told) ? Date.parse(told) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
