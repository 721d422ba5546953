const backgroundWaitMs = 250;
const longestPauseMs = 1000;

export interface ByFrame<Item> {
  push(item: Item): void;
  /** Hands on at once what is gathered. */
  flush(): void;
}

/**
 * Gathers what arrives and hands it on once a frame, so that a fast stream costs one rendering a frame. A rendering
 * that is slow is given pauses in proportion, and a page in the background, which draws no frames, is served by a timer.
 */
export function byFrame<Item>(take: (items: readonly Item[]) => void): ByFrame<Item> {
  let items: Item[] = [];
  let notBefore = 0;
  let cancel: (() => void) | undefined;

  function flush() {
    cancel?.();
    cancel = undefined;
    if (items.length === 0) return;
    const gathered = items;
    items = [];
    const begin = performance.now();
    take(gathered);
    const end = performance.now();
    notBefore = end + Math.min(longestPauseMs, 3 * (end - begin));
  }

  function schedule() {
    const wait = notBefore - performance.now();
    const frame = wait > 0 ? undefined : requestAnimationFrame(flush);
    const timer = setTimeout(flush, wait > 0 ? wait : backgroundWaitMs);
    cancel = () => {
      clearTimeout(timer);
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }

  return {
    push(item) {
      items.push(item);
      if (!cancel) schedule();
    },
    flush,
  };
}
