import { safeHeaders } from "./respond.ts";

const isForPages = (path: string) => path.startsWith("/v1/") || path.startsWith("/api/");

/** Header names as a browser sends them, separated by commas. */
const headerNames = /^[A-Za-z0-9\-_, ]{1,2000}$/;

/**
 * Lets pages of the listed origins read what `/v1/*` and `/api/*` answer. They show a token like everybody else: cookies
 * are never let through, and who may come in is decided by the door.
 */
export function createCors(allowed: ReadonlySet<string>) {
  const originOf = ({ headers }: Request, path: string): string | undefined => {
    const origin = headers.get("origin");
    return origin !== null && isForPages(path) && allowed.has(origin) ? origin : undefined;
  };

  return {
    /** The answer to a browser that asks whether it may ask; undefined when this is no such question. */
    preflight(request: Request, path: string): Response | undefined {
      if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method"))
        return undefined;
      const origin = originOf(request, path);
      if (origin === undefined) return undefined;
      const asked = request.headers.get("access-control-request-headers") ?? "";
      const headers = new Headers({
        ...safeHeaders,
        vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network",
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-max-age": "600",
      });
      if (headerNames.test(asked)) headers.set("access-control-allow-headers", asked);
      // A page of the web that talks to a server of this network is what was listed.
      if (request.headers.get("access-control-request-private-network") === "true")
        headers.set("access-control-allow-private-network", "true");
      return new Response(null, { status: 204, headers });
    },

    /** Marks an answer as one that the page may read. */
    mark(response: Response, request: Request, path: string): Response {
      const origin = originOf(request, path);
      if (origin === undefined) return response;
      response.headers.set("access-control-allow-origin", origin);
      response.headers.set("access-control-expose-headers", "x-request-id, retry-after");
      response.headers.append("vary", "Origin");
      return response;
    },
  };
}
