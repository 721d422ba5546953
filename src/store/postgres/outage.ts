import { storeLog as log } from "../../telemetry/log.ts";

/** What is known of a server that does not answer, shared by all that ask it. */
export interface Outage {
  /** After a failed attempt: waits a little and resolves, or throws `error` once the outage has lasted too long. */
  wait(error: unknown): Promise<void>;
  /** After one that went well. */
  over(): void;
}

const shortestMs = 50;
const longestMs = 1000;

/** In its first `patienceMs` those who ask wait for the server; afterwards each is refused as soon as its attempt fails. */
export function createOutage(name: string, patienceMs: number): Outage {
  let since: number | undefined;
  return {
    async wait(error) {
      if (since === undefined) log.warn(`the ${name} does not answer`, { error });
      since ??= performance.now();
      const lasted = performance.now() - since;
      if (lasted >= patienceMs) throw error;
      // The longer it lasts the longer the pause, so that a server which comes back is not run over.
      await Bun.sleep(Math.min(longestMs, Math.max(shortestMs, lasted / 4), patienceMs - lasted));
    },
    over() {
      if (since !== undefined) log.info(`the ${name} answers again`);
      since = undefined;
    },
  };
}
