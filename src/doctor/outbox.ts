import type { Settings } from "../config/settings.ts";
import { listOutbox } from "../store/outbox-list.ts";
import { depth } from "../store/outbox.ts";
import type { Finding } from "./check.ts";
import { readDatabase } from "./read-database.ts";

const mostShown = 3;

/** What channels gave up, with the reason; also while the server runs. */
export const inspectOutbox = (settings: Settings["store"]) =>
  readDatabase(settings, async (tx): Promise<Finding> => {
    const { waiting, dead } = await depth(tx);
    if (dead === 0) return { state: "ok", text: `waiting to be sent: ${waiting}, given up: none` };
    const { items } = await listOutbox(tx, { state: "dead", limit: mostShown });
    const shown = items.map(
      ({ channel, recipient, lastError = "" }) => `${channel} ${recipient}: ${lastError}`,
    );
    return {
      state: "warn",
      text: `given up: ${dead} (${shown.join(" · ")}${dead > mostShown ? " · …" : ""})`,
      fix: "Mend the cause, then try one again: POST /api/deliveries/ID/retry (GET /api/deliveries lists them).",
    };
  });
