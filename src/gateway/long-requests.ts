import { cancelled } from "../errors.ts";

/** One request, as those see it that answer it for long. */
export interface LongRequest {
  /** Ends when the client is gone, or when the token is withdrawn that it came in with. */
  readonly gone: AbortSignal;
  /** Whether it is being answered for long: only then it need be found when its token is withdrawn. */
  setLong(long: boolean): void;
}

/** The requests that are answered for long, so that they end when the token is withdrawn that they came in with. */
export function createLongRequests() {
  const open = new Map<AbortController, string>();
  /** How often the token of a name was withdrawn: it may be before a request that was let in becomes a long one. */
  const withdrawals = new Map<string, number>();
  const withdrawalsOf = (name: string) => withdrawals.get(name) ?? 0;
  const withdraw = (controller: AbortController) => {
    open.delete(controller);
    controller.abort(cancelled("The token of this request is no longer valid."));
  };
  return {
    /** To be called when the request is let in. */
    watch(request: Request, name: string): LongRequest {
      const before = withdrawalsOf(name);
      let controller: AbortController | undefined;

      function begin(): AbortController {
        const made = new AbortController();
        const leave = () => {
          open.delete(made);
          made.abort(cancelled("The client went away."));
        };
        if (request.signal.aborted) leave();
        else request.signal.addEventListener("abort", leave, { once: true });
        return made;
      }

      return {
        get gone() {
          controller ??= begin();
          return controller.signal;
        },
        setLong(long) {
          if (controller === undefined || controller.signal.aborted) return;
          if (!long) open.delete(controller);
          else if (withdrawalsOf(name) !== before) withdraw(controller);
          else open.set(controller, name);
        },
      };
    },
    /** Ends those of these names. */
    endOf(names: ReadonlySet<string>) {
      for (const name of names) withdrawals.set(name, withdrawalsOf(name) + 1);
      for (const [controller, name] of open) if (names.has(name)) withdraw(controller);
    },
  };
}
