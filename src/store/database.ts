import type { Tx } from "./tx.ts";
import type { Writer } from "./writer.ts";

/** What a store stands on, whichever database it is. */
export interface Database {
  readonly writer: Writer;
  /** Each statement sees the newest commit; what `fn` would change is refused. */
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  listen(topic: string, onSignal: (payload: string) => void): () => void;
  /** Called when the writer is idle. */
  close(): void;
}
