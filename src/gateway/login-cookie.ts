import type { Principal } from "../agent/turn.ts";
import type { Tokens } from "./tokens.ts";

const cookieName = "openclaw_login";
const lifeMs = 30 * 24 * 60 * 60 * 1000;

// Not of `node:crypto`, which takes 5 ms to load at the start.
const hmac = (key: string | Buffer, text: string) =>
  new Bun.CryptoHasher("sha256", key).update(text).digest();

/** Cookies of browsers that logged in. Nothing is stored: the key comes from the token, so a new token voids them. */
export function createLoginCookies(tokens: Tokens, now: () => number = Date.now) {
  const sign = (token: string, claim: string) =>
    hmac(hmac(token, "openclaw login cookie"), claim).toString("base64url");

  return {
    /** The `Set-Cookie` for a principal that showed its token. */
    make(principal: Principal, secure: boolean): string | undefined {
      const known = tokens.of(principal.name);
      if (known === undefined) return undefined;
      const claim = `${principal.name}.${now() + lifeMs}`;
      return cookie(`${claim}.${sign(known.token, claim)}`, lifeMs / 1000, secure);
    },
    /** The `Set-Cookie` that makes a browser forget. */
    clear: (secure: boolean) => cookie("", 0, secure),
    /** Whose cookie the request carries, if it is ours and has not run out. */
    read(header: string | null): Principal | undefined {
      const value = header
        ?.split(";")
        .map((pair) => pair.trim())
        .find((pair) => pair.startsWith(`${cookieName}=`));
      // A name may have dots in it, so it is what stands before the last two parts.
      const found = value?.slice(cookieName.length + 1).match(/^([\w.-]+)\.(\d{1,16})\.([\w-]{43})$/);
      const [, name = "", until = "", signature = ""] = found ?? [];
      const known = tokens.of(name);
      if (known === undefined || Number(until) < now()) return undefined;
      const expected = sign(known.token, `${name}.${until}`);
      return crypto.timingSafeEqual(Buffer.from(expected), Buffer.from(signature))
        ? known.principal
        : undefined;
    },
  };
}

export type LoginCookies = ReturnType<typeof createLoginCookies>;

const cookie = (value: string, seconds: number, secure: boolean) =>
  `${cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
