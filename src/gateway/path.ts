import { getPath } from "hono/utils/url";

/** The path of a request as the router reads it; `/` for a URL that has none. */
export function pathOf(request: Request): string {
  const path = getPath(request);
  return path.startsWith("/") ? path : "/";
}
