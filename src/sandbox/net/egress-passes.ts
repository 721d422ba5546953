import type { EgressPass } from "./egress.ts";

const mostRefusals = 20;
const mostConnections = 128;

/** What the proxy knows of a pass: who shows its password may connect, and all that is open is ended with it. */
export interface OpenPass {
  readonly signal: AbortSignal;
  refuse(why: string): void;
  /** Counts a connection until it is disposed of; undefined when there are too many. */
  enter(): Disposable | undefined;
}

export interface Passes {
  make(port: number, signal: AbortSignal): EgressPass;
  /** `password` is the base64 of a Basic authorization. */
  find(password: string): OpenPass | undefined;
  releaseAll(): void;
}

const randomWord = () => crypto.getRandomValues(new Uint8Array(24)).toHex();

export function createPasses(): Passes {
  const open = new Map<string, { pass: OpenPass; release: () => void }>();

  function make(port: number, signal: AbortSignal): EgressPass {
    signal.throwIfAborted();
    const username = "openclaw";
    const password = randomWord();
    const key = btoa(`${username}:${password}`);
    const refusals = new Set<string>();
    const stop = new AbortController();
    let connections = 0;
    const release = () => {
      open.delete(key);
      signal.removeEventListener("abort", release);
      stop.abort();
    };
    signal.addEventListener("abort", release, { once: true });
    const pass: OpenPass = {
      signal: stop.signal,
      refuse(why) {
        if (refusals.size < mostRefusals) refusals.add(why);
      },
      enter() {
        if (connections >= mostConnections) return undefined;
        connections += 1;
        return { [Symbol.dispose]: () => void (connections -= 1) };
      },
    };
    open.set(key, { pass, release });
    return {
      url: `http://${username}:${password}@127.0.0.1:${port}`,
      port,
      username,
      password,
      get refusals() {
        return [...refusals];
      },
      release,
    };
  }

  return {
    make,
    find: (password) => open.get(password)?.pass,
    releaseAll() {
      for (const { release } of [...open.values()]) release();
    },
  };
}
