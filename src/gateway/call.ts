import type { Context, Hono } from "hono";
import type { Principal } from "../agent/turn.ts";
import { AppError } from "../errors.ts";

/** What the door knows of a request; Hono hands it to the handlers as `c.env`. */
export interface Call {
  readonly path: string;
  /** Undefined on a path that is open to everybody. */
  readonly principal: Principal | undefined;
  /** The address at the other end of the socket. */
  readonly socketAddress: () => string;
  /** Ends when the client is gone, or while it is slow (below) when the token is withdrawn that it came in with. */
  readonly gone: AbortSignal;
  /** Lets the request take as long as it needs; until it is ended again the server cuts one that is silent. */
  setSlow(slow: boolean): void;
}

export type Env = { Bindings: Call };
export type App = Hono<Env>;

/** Who asks. The door has seen to it that somebody does on every path that is not open. */
export function principalOf(c: Context<Env>): Principal {
  if (c.env.principal !== undefined) return c.env.principal;
  throw new AppError("unauthorized", "A token is needed: send Authorization: Bearer <token>.");
}
