import type { Principal } from "../agent/turn.ts";

export const operator: Principal = { name: "operator", scope: "operator" };

export interface Tokens {
  /** True when no token is set: every caller is the operator then. */
  readonly open: boolean;
  /** Of all who have a token. */
  readonly names: readonly string[];
  /** Whose token this is; every one is compared, in constant time. */
  find(token: string): Principal | undefined;
  /** The token of a principal, for keys that are derived from it. */
  of(name: string): { principal: Principal; token: string } | undefined;
}

// Not of `node:crypto`, here and below: it takes 5 ms to load at the start.
const digest = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest();

export function createTokens(
  authToken: string | undefined,
  clients: readonly { name: string; token: string }[],
): Tokens {
  const known = [
    ...(authToken === undefined ? [] : [{ principal: operator, token: authToken }]),
    ...clients.map(({ name, token }) => ({ principal: { name, scope: "chat" } satisfies Principal, token })),
  ];
  // Digests are of one length, so that not even the length of a token shows in the time.
  const digests = known.map(({ token }) => digest(token));
  return {
    open: authToken === undefined,
    names: known.map(({ principal }) => principal.name),
    find(token) {
      const seen = digest(token);
      let found: Principal | undefined;
      for (const [at, expected] of digests.entries()) {
        if (crypto.timingSafeEqual(seen, expected)) found ??= known[at]?.principal;
      }
      return found;
    },
    of: (name) => known.find(({ principal }) => principal.name === name),
  };
}
