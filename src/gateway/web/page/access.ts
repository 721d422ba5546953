import * as v from "valibot";

/** As whom this browser comes in, or why it does not. */
export type Access = "operator" | "chat" | "login" | "unreachable";

export const isIn = (access: Access) => access === "operator" || access === "chat";

export type LoginResult = { readonly ok: true } | { readonly ok: false; readonly problem: string };

const timeoutMs = 15_000;

const ask = (path: string, init: RequestInit = {}) =>
  fetch(path, { ...init, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });

const Status = v.object({ principal: v.object({ scope: v.string() }) });

/** Whether this browser may come in as it is: no token is needed, or its login cookie is good. */
export async function askAccess(): Promise<Access> {
  try {
    const response = await ask("/api/status");
    if (!response.ok) return response.status === 401 ? "login" : "unreachable";
    const { principal } = v.parse(Status, await response.json());
    return principal.scope === "operator" ? "operator" : "chat";
  } catch {
    return "unreachable";
  }
}

const Problem = v.object({ error: v.object({ message: v.string() }) });

/** Trades the token for a cookie that no script can read. */
export async function logIn(token: string): Promise<LoginResult> {
  try {
    const response = await ask("/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (response.ok) return { ok: true };
    if (response.status === 401) return { ok: false, problem: "This is not the token of this server." };
    const wait = response.headers.get("retry-after");
    if (response.status === 429)
      return { ok: false, problem: `Too many wrong tokens. Try again in ${wait ?? 60} s.` };
    const told = v.safeParse(Problem, await response.json().catch(() => undefined));
    return {
      ok: false,
      problem: told.success ? told.output.error.message : `The server answered ${response.status}.`,
    };
  } catch {
    return { ok: false, problem: "The server cannot be reached. Is it running?" };
  }
}

/** Makes the browser forget its cookie. */
export async function logOut(): Promise<void> {
  await ask("/auth/logout", { method: "POST" }).catch(() => undefined);
}

/** The token that a link brought along, taken out of the address at once so that it is in no history and no bookmark. */
export function takeToken(): string | undefined {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (token === undefined) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}
