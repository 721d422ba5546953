import * as v from "valibot";
import type { Session } from "./sessions.ts";

const Titles = v.record(v.string(), v.string());
const name = "openclaw.titles";
const most = 200;
const longest = 60;

/** What a person reads instead of an id: the beginning of the first message, kept by this browser. */
export interface Titles {
  of(session: Session): string;
  keep(id: string, firstMessage: string): void;
}

export function createTitles(storage: Storage): Titles {
  let titles = read(storage);
  return {
    of: ({ id, title }) => title ?? titles[id] ?? id.replace(/^(chat-.{8}).+$/, "$1"),
    keep(id, firstMessage) {
      const title = firstMessage.trim().replace(/\s+/g, " ").slice(0, longest);
      if (titles[id] !== undefined || title === "") return;
      const kept = Object.entries(titles).slice(1 - most);
      titles = Object.fromEntries([...kept, [id, title]]);
      try {
        storage.setItem(name, JSON.stringify(titles));
      } catch {
        // Without storage the list shows ids.
      }
    },
  };
}

function read(storage: Storage): Record<string, string> {
  try {
    return v.parse(Titles, JSON.parse(storage.getItem(name) ?? "{}"));
  } catch {
    return {};
  }
}
