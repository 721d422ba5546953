import { pageText } from "./page-text.ts";
import type { PageAnswer, PageRequest } from "./pages.ts";

// An entry point of the executable: a Worker, so that a page can be ended in the middle.
declare const self: Worker;

function read({ html, url }: PageRequest): PageAnswer {
  try {
    return { ok: true, page: pageText(html, url) };
  } catch (error) {
    return { ok: false, said: String(error) };
  }
}

self.onmessage = ({ data }: MessageEvent<PageRequest>) => self.postMessage(read(data));
