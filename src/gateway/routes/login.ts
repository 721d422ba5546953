import * as v from "valibot";
import { readJson } from "../body.ts";
import type { App } from "../call.ts";
import type { Door } from "../door.ts";
import type { Logins } from "../logins.ts";
import { json } from "../respond.ts";
import { operator } from "../tokens.ts";

const Login = v.object({ token: v.pipe(v.string(), v.maxLength(4096)) });
const mostBytes = 16_384;

/** Logging in from a browser: a token becomes a cookie that no script can read. */
export function loginRoutes(app: App, door: Door, logins: Logins): void {
  app.post("/auth/login", async (c) => {
    const { token } = await readJson(c.req.raw, Login, mostBytes);
    if (door.open) return json(operator);
    const arrival = { request: c.req.raw, path: c.env.path, socketAddress: c.env.socketAddress };
    const principal = door.login(token, arrival);
    const { address, secure } = door.peer(arrival);
    const cookie = door.cookies.make(principal, secure);
    logins.entered(principal, "cookie", address);
    return json(principal, 200, cookie === undefined ? {} : { "set-cookie": cookie });
  });

  app.post("/auth/logout", (c) => {
    const { secure } = door.peer({
      request: c.req.raw,
      path: c.env.path,
      socketAddress: c.env.socketAddress,
    });
    return json({ loggedOut: true }, 200, { "set-cookie": door.cookies.clear(secure) });
  });
}
