import type { Principal } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { isLoopbackHost, readHost } from "./host.ts";
import { createLoginCookies } from "./login-cookie.ts";
import { checkOrigin, isOwnOrigin } from "./origin.ts";
import type { GatewaySettings } from "./parts.ts";
import { clientKey, createProxies, type Peer } from "./proxies.ts";
import { createThrottle, wrongTokenLimits } from "./throttle.ts";
import { createTokens, operator } from "./tokens.ts";

/** A request as it stands at the door. */
export interface Arrival {
  readonly request: Request;
  readonly path: string;
  /** The address at the other end of the socket. */
  readonly socketAddress: () => string;
}

const openPaths = new Set([
  "/",
  "/health",
  "/health/live",
  "/health/ready",
  "/chat",
  "/chat.js",
  "/chat.css",
  "/auth/login",
]);

/** Where a token of scope `chat` may go; what it may do under `/api/` each operation says itself. */
const isForChat = (path: string) =>
  path === "/ws" ||
  path.startsWith("/v1/") ||
  path.startsWith("/api/") ||
  path === "/openapi.json" ||
  path === "/tools/approve" ||
  path === "/auth/logout";

const changesSomething = ({ request, path }: Arrival) =>
  path === "/ws" || (request.method !== "GET" && request.method !== "HEAD");

const isForwarded = (name: string) =>
  name === "forwarded" || name === "via" || name.startsWith("x-forwarded-");

/** The tokens that a WebSocket client offers as `bearer.<token>`, because a browser can set no header there. */
function subprotocolToken(headers: Headers): string | undefined {
  const offered =
    headers
      .get("sec-websocket-protocol")
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  return offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length);
}

/** Whose tokens are good. */
export type Credentials = Pick<GatewaySettings, "authToken" | "clientTokens">;

const unauthorized = (message: string) => new AppError("unauthorized", message);

/** Decides who comes in. Every rule of who may enter stands here; deny is the default. `refused` hears of wrong tokens. */
export function createDoor(
  settings: GatewaySettings,
  { now = Date.now, refused }: { now?: () => number; refused?: (address: string) => void } = {},
) {
  let tokens = createTokens(settings.authToken, settings.clientTokens);
  let cookies = createLoginCookies(tokens, now);
  const throttle = createThrottle({ ...wrongTokenLimits, now });
  const peerOf = createProxies(settings.trustedProxies);
  // Without a token an origin that is let in would be the operator, so then there is none beside our own.
  const allowed: ReadonlySet<string> = new Set(tokens.open ? [] : settings.allowedOrigins);

  const peer = ({ request, socketAddress }: Arrival): Peer => peerOf(socketAddress(), request.headers);

  /** Without a token the caller must be on this machine, and no proxy may speak for somebody else. */
  function checkLocal(headers: Headers, host: string) {
    if (!isLoopbackHost(host)) {
      throw new AppError(
        "forbidden",
        `Without OPENCLAW_AUTH_TOKEN this server answers to localhost only, not to "${host}". Set a token to use another name.`,
      );
    }
    for (const name of headers.keys()) {
      if (!isForwarded(name)) continue;
      throw new AppError(
        "forbidden",
        `Without OPENCLAW_AUTH_TOKEN nothing is taken through a proxy (the request has ${name}). Set a token.`,
      );
    }
  }

  function login(token: string, arrival: Arrival): Principal {
    const found = tokens.find(token);
    if (found !== undefined) return found;
    const { address } = peer(arrival);
    refused?.(address);
    throttle.wrong(clientKey(address));
    throw unauthorized(
      "The token is wrong. Use the value of OPENCLAW_AUTH_TOKEN, or a token of OPENCLAW_CLIENT_TOKENS.",
    );
  }

  function presentedToken({ request, path }: Arrival): string | undefined {
    const bearer = request.headers.get("authorization")?.match(/^bearer +(\S+) *$/i)?.[1];
    if (bearer !== undefined) return bearer;
    const offered = path === "/ws" ? subprotocolToken(request.headers) : undefined;
    if (offered !== undefined || !settings.allowQueryToken) return offered;
    return new URL(request.url).searchParams.get("token") ?? undefined;
  }

  function identify(arrival: Arrival, host: string): Principal {
    const token = presentedToken(arrival);
    if (token !== undefined) return login(token, arrival);
    const { headers } = arrival.request;
    const byCookie = cookies.read(headers.get("cookie"));
    if (byCookie === undefined) throw unauthorized("A token is needed: send Authorization: Bearer <token>.");
    // A browser sends its cookie whoever wrote the page, so for a change the page must be known to be ours.
    const origin = headers.get("origin");
    const { secure } = peer(arrival);
    if (changesSomething(arrival) && (origin === null || !isOwnOrigin(origin, { secure, host }))) {
      throw new AppError(
        "forbidden",
        "A login cookie changes nothing without the Origin of this server's own page.",
      );
    }
    return byCookie;
  }

  return {
    /** True while no token is asked for. */
    open: tokens.open,
    get cookies() {
      return cookies;
    },
    /**
     * Asks for these tokens from now on: cookies of the others are void. Returns the names of those who have another
     * token now, or none. Throws where a door would be opened to everybody, or closed to who has no token.
     */
    takeTokens(next: Credentials): ReadonlySet<string> {
      if (tokens.open !== (next.authToken === undefined))
        throw new AppError("bad_request", "Whether a token is asked for at all changes at a restart only.");
      const before = tokens;
      tokens = createTokens(next.authToken, next.clientTokens);
      cookies = createLoginCookies(tokens, now);
      const isSame = (name: string) => before.of(name)?.token === tokens.of(name)?.token;
      return new Set(before.names.filter((name) => !isSame(name)));
    },
    /** Foreign origins whose pages may come in. */
    allowed,
    peer,
    /** Whose token this is; counts and throws `unauthorized` or `rate_limited` when it is nobody's. */
    login,
    /** Who comes in; undefined on a path that is open to everybody. Throws for who may not. */
    admit(arrival: Arrival): Principal | undefined {
      const { request, path } = arrival;
      const host = readHost(request.headers);
      if (tokens.open) checkLocal(request.headers, host);
      const origin = request.headers.get("origin");
      if (origin !== null && (tokens.open || changesSomething(arrival))) {
        checkOrigin(origin, { secure: peer(arrival).secure, host, allowed });
      }
      if (openPaths.has(path)) return undefined;
      if (tokens.open) return operator;
      const principal = identify(arrival, host);
      if (principal.scope === "chat" && !isForChat(path)) {
        throw new AppError(
          "forbidden",
          `A token of scope chat may not use ${path}; the operator's token may.`,
        );
      }
      return principal;
    },
  };
}

export type Door = ReturnType<typeof createDoor>;
