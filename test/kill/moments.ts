/** Things that happen in a run, which the killer waits for. */
export type Happening =
  | "message sent"
  | "message accepted"
  | "model asked"
  | "calls asked for"
  | "approval asked"
  | "file changed"
  | "delivery made"
  | "delivery taken"
  | "answer arrived";

export interface Moments {
  tell(what: Happening): void;
  /** Resolves when it happens next, or after a second: it may never come again. */
  next(what: Happening): Promise<void>;
}

export function createMoments(): Moments {
  const waiting = new Map<Happening, () => void>();
  return {
    tell: (what) => waiting.get(what)?.(),
    async next(what) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, 1000);
      waiting.set(what, resolve);
      await promise;
      waiting.delete(what);
      clearTimeout(timer);
    },
  };
}
