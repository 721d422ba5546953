import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { openForReading } from "../store/open-for-reading.ts";
import { listOutbox } from "../store/outbox-list.ts";
import { depth } from "../store/outbox.ts";
import type { Finding } from "./check.ts";

const mostShown = 3;

/** What channels gave up, with the reason; also while the server runs. */
export async function inspectOutbox(settings: Settings["store"]): Promise<Finding> {
  const nothing: Finding = { state: "ok", text: "nothing was sent so far" };
  const store = await openForReading(settings).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "not_found") return undefined;
    throw error;
  });
  if (store === undefined) return nothing;
  try {
    const { waiting, dead } = await store.read(depth);
    if (dead === 0) return { state: "ok", text: `waiting to be sent: ${waiting}, given up: none` };
    const { items } = await store.read((tx) => listOutbox(tx, { state: "dead", limit: mostShown }));
    const shown = items.map(
      ({ channel, recipient, lastError = "" }) => `${channel} ${recipient}: ${lastError}`,
    );
    return {
      state: "warn",
      text: `given up: ${dead} (${shown.join(" · ")}${dead > mostShown ? " · …" : ""})`,
      fix: "Mend the cause, then try one again: POST /api/deliveries/ID/retry (GET /api/deliveries lists them).",
    };
  } finally {
    store.close();
  }
}
