import type { AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import { channelsLog as log } from "../telemetry/log.ts";
import { count } from "../telemetry/metrics.ts";
import type { Channel, Inbound } from "./channel.ts";
import type { Pairings } from "./pairing.ts";

export interface AdmissionParts {
  readonly store: Store;
  readonly pairings: Pairings;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail;
  readonly now?: () => number;
}

export type Admitted = "admitted" | "asked_to_pair" | "refused";

const hourMs = 3_600_000;
/** Refusals of an hour that have a row of their own in the audit trail: strangers must not fill the disk. */
const mostRows = 100;

/** Whether a sender may speak to a channel as things are; asks and tells nobody. */
export const createIsAdmitted =
  (pairings: Pick<Pairings, "isApproved">) =>
  async ({ name, policy, allowedSenders }: Channel, senderId: string): Promise<boolean> =>
    policy === "open" ||
    allowedSenders.includes(senderId) ||
    (policy === "pairing" && (await pairings.isApproved(name, senderId)));

/** Decides whether what a sender says becomes a turn. What is not decided is "no". */
export function createAdmission({ store, pairings, audit, now = Date.now }: AdmissionParts) {
  const isAdmitted = createIsAdmitted(pairings);
  let refused = new Set<string>();
  let until = 0;

  /** One row for each sender and hour. */
  async function recordRefusal({ name: channel, policy }: Channel, sender: string) {
    count("totalRefusedSenders");
    if (now() >= until) {
      refused = new Set();
      until = now() + hourMs;
    }
    const principal = `${channel}:${sender}`;
    if (refused.has(principal) || refused.size >= mostRows) return;
    refused.add(principal);
    log.info("a sender who is not admitted was refused", { channel, sender, policy });
    const event = { kind: "login", principal, outcome: "refused", detail: { channel, policy } } as const;
    if (audit !== undefined) await store.write((tx) => audit.record(tx, event));
  }

  return async function admit(channel: Channel, message: Inbound): Promise<Admitted> {
    const { sender, recipient } = message;
    if (await isAdmitted(channel, sender.id)) return "admitted";
    if (channel.policy === "pairing") {
      const name = sender.name?.slice(0, 200);
      const asking = { channel: channel.name, sender: sender.id, recipient };
      await pairings.ask({ ...asking, ...(name !== undefined && { name }) });
      count("totalRefusedSenders");
      return "asked_to_pair";
    }
    await recordRefusal(channel, sender.id);
    return "refused";
  };
}
