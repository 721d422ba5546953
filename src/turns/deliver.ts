import type { Delivery } from "../agent/turn.ts";
import type { Tx } from "../store/tx.ts";

/** Something of a turn that is to be sent; each at most once for a turn (and an approval). */
export interface Said {
  readonly delivery: Delivery;
  readonly turnId: string;
  readonly kind: "answer" | "failed" | "approval";
  readonly text: string;
  readonly approvalId?: string;
}

/** How what a turn says comes to be sent. */
export interface Deliver {
  /** Called inside the commit that makes it so: what is to be sent is a row before anybody sends it. */
  write(tx: Tx, said: Said): Promise<void>;
  /** Called behind that commit. Must not throw and must not wait. */
  committed(): void;
}
