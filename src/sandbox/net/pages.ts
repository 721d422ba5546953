import { AppError } from "../../errors.ts";
import type { WebPage } from "../can-web.ts";
import { createWorkerSeat, type WorkerLimits } from "../worker-seat.ts";

export interface PageRequest {
  readonly html: string;
  /** The address that relative links begin at. */
  readonly url: string;
}

export type PageAnswer =
  { readonly ok: true; readonly page: WebPage } | { readonly ok: false; readonly said: string };

const standardLimits: WorkerLimits = { timeoutMs: 10_000, growthBytes: 512 * 1024 * 1024, idleMs: 30_000 };

export interface Pages {
  read(request: PageRequest, signal: AbortSignal): Promise<WebPage>;
  close(): void;
}

/**
 * Pages as Markdown, one after another in a Worker that stays for a while: a long page would hold everybody up here, and
 * one that is made to never end (thousands of open elements) can be ended there.
 */
export function lendPages(limits: WorkerLimits = standardLimits): Pages {
  const seat = createWorkerSeat<PageRequest, PageAnswer>("net/page-worker", limits);
  return {
    async read(request, signal) {
      const answer = await seat.ask(request, signal, "Reading the page");
      if (answer.ok) return answer.page;
      throw new AppError(
        "unsupported_media_type",
        "Cannot read the page: its HTML could not be understood.",
        {
          cause: new Error(answer.said),
        },
      );
    },
    close: seat.close,
  };
}
