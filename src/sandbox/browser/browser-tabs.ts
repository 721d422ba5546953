import { AppError } from "../../errors.ts";
import type { BrowserEngine } from "./browser-engine.ts";
import { explainBrowser } from "./browser-errors.ts";
import { openTab, type Tab, untilAborted } from "./browser-tab.ts";
import type { Egress } from "../net/egress.ts";
import type { Caller } from "../tool.ts";

export interface TabsParts {
  start(): Promise<BrowserEngine>;
  readonly egress: Egress;
  /** A tab that nobody uses for so long is closed, and the browser when it has had none for so long. */
  readonly idleMs: number;
  readonly mostTabs?: number;
}

/** The tabs of all sessions, in one browser that is started when it is first needed. */
export interface Tabs {
  find(caller: Caller): Tab | undefined;
  /** The tab of the caller's session; opened where there is none. Throws `unavailable` where there are too many that work. */
  open(caller: Caller, signal: AbortSignal): Promise<Tab>;
  close(): Promise<void>;
}

interface Seat {
  readonly opening: Promise<Tab>;
  tab?: Tab;
  readonly stop: AbortController;
  timer?: ReturnType<typeof setTimeout>;
}

/** A turn without a session has a tab of its own, which goes when it is idle. */
const keyOf = ({ sessionId, turnId }: Caller) =>
  sessionId === undefined ? `turn ${turnId}` : `session ${sessionId}`;

export function createTabs({ start, egress, idleMs, mostTabs = 8 }: TabsParts): Tabs {
  /** The one that was not used for longest comes first. */
  const seats = new Map<string, Seat>();
  let engine: Promise<BrowserEngine> | undefined;
  let engineTimer: ReturnType<typeof setTimeout> | undefined;

  async function endEngine() {
    const ending = engine;
    engine = undefined;
    await (await ending?.catch(() => undefined))?.end();
  }

  function running(): Promise<BrowserEngine> {
    clearTimeout(engineTimer);
    if (engine !== undefined) return engine;
    const starting = start();
    engine = starting;
    const forget = () => {
      if (engine === starting) engine = undefined;
    };
    starting.then(({ browser, end }) => {
      browser.on("disconnected", () => {
        forget();
        void end();
      });
    }, forget);
    return starting;
  }

  function leave(key: string, seat: Seat) {
    if (seats.get(key) !== seat) return;
    seats.delete(key);
    clearTimeout(seat.timer);
    seat.stop.abort();
    void seat.opening.then((tab) => tab.close()).catch(() => undefined);
    if (seats.size === 0) engineTimer = setTimeout(() => void endEngine(), idleMs);
  }

  /** Closes the tab that was idle for longest where there is no room for another. */
  function makeRoom() {
    if (seats.size < mostTabs) return;
    const idle = [...seats].find(([, { tab }]) => tab?.isBusy === false);
    if (idle === undefined)
      throw new AppError("unavailable", "Too many pages are open here; try again in a moment.");
    leave(...idle);
  }

  function touch(key: string, seat: Seat) {
    seats.delete(key);
    seats.set(key, seat);
    clearTimeout(seat.timer);
    seat.timer = setTimeout(() => (seat.tab?.isBusy === false ? leave(key, seat) : touch(key, seat)), idleMs);
  }

  async function openIn(caller: Caller, signal: AbortSignal): Promise<Tab> {
    try {
      const { browser } = await running();
      return await openTab(browser, await egress.pass(caller, signal));
    } catch (error) {
      throw explainBrowser(error, "open a page");
    }
  }

  function find(caller: Caller): Tab | undefined {
    const key = keyOf(caller);
    const seat = seats.get(key);
    if (seat?.tab === undefined) return undefined;
    if (!seat.tab.isOpen) {
      leave(key, seat);
      return undefined;
    }
    touch(key, seat);
    return seat.tab;
  }

  return {
    find,
    async open(caller, signal) {
      await untilAborted(Promise.resolve(find(caller)?.cleaned()), signal);
      const found = find(caller);
      if (found !== undefined) return found;
      const key = keyOf(caller);
      let seat = seats.get(key);
      if (seat === undefined) {
        makeRoom();
        const stop = new AbortController();
        const made: Seat = { opening: openIn(caller, stop.signal), stop };
        made.opening.then(
          (tab) => (made.tab = tab),
          () => leave(key, made),
        );
        seat = made;
      }
      touch(key, seat);
      return untilAborted(seat.opening, signal);
    },
    async close() {
      for (const [key, seat] of [...seats]) leave(key, seat);
      clearTimeout(engineTimer);
      await endEngine();
    },
  };
}
