import { useSignal } from "@preact/signals";
import type { Chat } from "../chat.ts";
import { Mark } from "./icons.tsx";

/** Asks for the server's token; field names and hints are those that password managers look for. */
export function Login({ logIn }: Pick<Chat, "logIn">) {
  const problem = useSignal("");
  const busy = useSignal(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const token = new FormData(event.currentTarget).get("password");
    if (typeof token !== "string" || token.trim() === "" || busy.value) return;
    busy.value = true;
    const result = await logIn(token.trim());
    busy.value = false;
    problem.value = result.ok ? "" : result.problem;
  }

  return (
    <main class="login">
      <form method="post" action="/auth/login" onSubmit={submit}>
        <h1>
          <Mark /> openclaw
        </h1>
        <input type="text" name="username" autocomplete="username" value="openclaw" readonly hidden />
        <label for="password">Access token</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          spellcheck={false}
          aria-describedby="token-hint token-problem"
          aria-invalid={problem.value !== ""}
        />
        <p id="token-hint" class="hint">
          The value of <code>OPENCLAW_AUTH_TOKEN</code>, or the one that the server printed at its first
          start.
        </p>
        <p id="token-problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? "Logging in…" : "Log in"}
        </button>
      </form>
    </main>
  );
}
