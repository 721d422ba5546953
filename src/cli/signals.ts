/** What the signals of this process ask for. */
export interface Signals {
  /** Resolves at the first one that asks to stop; the second one ends the process at once. */
  readonly stop: Promise<NodeJS.Signals>;
  /** From now on SIGHUP calls this; one that came before is made up for. */
  onReload(reload: () => void): void;
}

/**
 * Listens for signals: SIGTERM and SIGINT stop, SIGHUP reads the settings again. `onTerminal`: it says that the terminal
 * is gone, and stops too; a server that nobody sees any more would go on.
 */
export function listenForSignals({ onTerminal }: { onTerminal: boolean }): Signals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let asked = false;
  const stops = onTerminal ? (["SIGTERM", "SIGINT", "SIGHUP"] as const) : (["SIGTERM", "SIGINT"] as const);
  for (const signal of stops)
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      resolve(signal);
    });
  let missed = false;
  let reload = () => {
    missed = true;
  };
  if (!onTerminal)
    process.on("SIGHUP", () => {
      if (!asked) reload();
    });
  return {
    stop: promise,
    onReload(act) {
      reload = act;
      if (missed) act();
    },
  };
}
