/** Joins what several producers say into one stream; ends when `close` or `fail` is called and all was read. */
export interface Channel<T> extends AsyncIterable<T> {
  push(item: T): void;
  close(): void;
  fail(error: unknown): void;
  /** Items that nobody has read yet. */
  readonly waiting: number;
}

export function createChannel<T>(): Channel<T> {
  const items: T[] = [];
  let wake = Promise.withResolvers<void>();
  let end: "open" | "closed" | { error: unknown } = "open";
  const finish = (how: "closed" | { error: unknown }) => {
    if (end === "open") end = how;
    wake.resolve();
  };
  return {
    push(item) {
      items.push(item);
      wake.resolve();
    },
    close: () => finish("closed"),
    fail: (error) => finish({ error }),
    get waiting() {
      return items.length;
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (items.length > 0) yield* items.splice(0);
        if (end === "closed") return;
        if (end !== "open") throw end.error;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
  };
}
