import type { Store } from "../../../src/store/open.ts";
import type { TestGateway } from "./gateway-server.ts";

/** A store whose reads wait from `hold` to `release`, as those of a database far away do. */
export function slowStore() {
  const begun = Promise.withResolvers<void>();
  let held: PromiseWithResolvers<void> | undefined;
  return {
    over: (store: Store): Store => ({
      ...store,
      async read(work) {
        if (held !== undefined) begun.resolve();
        await held?.promise;
        return store.read(work);
      },
    }),
    hold() {
      held = Promise.withResolvers();
    },
    release: () => held?.resolve(),
    /** Resolves when a read waits. */
    reading: begun.promise,
  };
}

/** Resolves when the server has heard what happened on its other connections before. */
export async function noticed(gateway: TestGateway): Promise<void> {
  for (let at = 0; at < 3; at++) await gateway.ask("/health/live", { headers: { connection: "close" } });
}
