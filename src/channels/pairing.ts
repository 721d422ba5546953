import type { AuditEvent, AuditTrail } from "../store/audit.ts";
import type { Store } from "../store/open.ts";
import type { Page, PageOptions } from "../store/page.ts";
import { skipQueued } from "../store/job-runs.ts";
import { disableMade } from "../store/jobs.ts";
import * as rows from "../store/pairings.ts";
import type { Tx } from "../store/tx.ts";
import type { Deliveries } from "./deliver.ts";

export type Pairing = rows.Pairing;

export interface PairingParts {
  readonly store: Store;
  readonly deliveries: Deliveries;
  /** Absent in tests that are not about it. */
  readonly audit?: AuditTrail;
  readonly now?: () => number;
}

/** Who asks to be let in. */
export interface Asking {
  readonly channel: string;
  readonly sender: string;
  readonly name?: string;
  readonly recipient: string;
}

/** What became of a code. */
export type Approved =
  { readonly kind: "approved"; readonly sender: string } | { readonly kind: "wrong" | "none_open" };

/** Admission by codes: a stranger is sent one, and the operator types it in. */
export interface Pairings {
  isApproved(channel: string, sender: string): Promise<boolean>;
  /** Sends a code, once an hour at most for a sender; false when none was sent. */
  ask(asking: Asking): Promise<boolean>;
  /** Admits the sender of a code; with `sender` only that one. Wrong codes are counted, and void the open ones. */
  approve(of: { channel: string; code: string; sender?: string; by: string }): Promise<Approved>;
  /** Takes an admission back, and disables the jobs that agents made for that sender; false when there was none. */
  revoke(of: { channel: string; sender: string; by: string }): Promise<boolean>;
  list(page: PageOptions): Promise<Page<Pairing>>;
}

const hourMs = 3_600_000;
/** Open codes of one channel: more strangers than that within an hour are not answered. */
const mostOpen = 100;
/** Wrong codes that an open one survives is one less. */
const mostTries = 5;

/** 000000 to 999999, each as likely as the next. */
function newCode(): string {
  const bound = 4_294_000_000;
  for (;;) {
    const [number = bound] = crypto.getRandomValues(new Uint32Array(1));
    if (number < bound) return String(number % 1_000_000).padStart(6, "0");
  }
}

const newSalt = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");

const hashOf = (of: { salt: string; channel: string; sender: string; code: string }) =>
  new Bun.CryptoHasher("sha256", of.salt)
    .update(JSON.stringify([of.channel, of.sender, of.code]))
    .digest("hex");

/** Takes the same time wherever they differ; both are of one length. */
function isSame(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
}

const codeText = (channel: string, code: string) =>
  [
    "This assistant answers only people whom its operator has admitted.",
    `Your pairing code is ${code}. It is good for an hour.`,
    `The operator admits you with: openclaw pairing approve ${channel} ${code}`,
  ].join("\n");

const admittedText = "You are admitted now. Please send your message again.";

const about = (channel: string, principal: string, outcome: string, detail: object = {}): AuditEvent => ({
  kind: "login",
  principal,
  outcome,
  detail: { channel, ...detail },
});

/** Admission over the store. */
export function createPairings({ store, deliveries, audit, now = Date.now }: PairingParts): Pairings {
  /** Opens a code and writes down that it is to be sent, in one commit. */
  async function open(tx: Tx, { channel, sender, name, recipient }: Asking, at: number): Promise<boolean> {
    if ((await rows.countAsked(tx, channel, at)) >= mostOpen) return false;
    const salt = newSalt();
    const code = newCode();
    const codeHash = hashOf({ salt, channel, sender, code });
    const asked = {
      channel,
      sender,
      recipient,
      askedAt: at,
      expiresAt: at + hourMs,
      tries: 0,
      salt,
      codeHash,
    };
    if (!(await rows.ask(tx, { ...asked, ...(name !== undefined && { name }) }, at - hourMs + 1)))
      return false;
    const id = `pairing:${channel}:${sender}:${at}`;
    await deliveries.post(tx, { id, kind: "pairing", channel, recipient, text: codeText(channel, code) });
    await audit?.record(tx, about(channel, `${channel}:${sender}`, "asked_to_pair", { name }));
    return true;
  }

  return {
    async isApproved(channel, sender) {
      return (await store.read((tx) => rows.find(tx, channel, sender)))?.approvedAt !== undefined;
    },

    async ask(asking) {
      // Most of what strangers send costs no commit.
      const known = await store.read((tx) => rows.find(tx, asking.channel, asking.sender));
      if (known !== undefined && known.askedAt > now() - hourMs) return false;
      const sent = await store.write((tx) => open(tx, asking, now()));
      if (sent) deliveries.committed();
      return sent;
    },

    async approve({ channel, code, sender, by }) {
      const at = now();
      const approved = await store.write(async (tx): Promise<Approved> => {
        const codes = await rows.open(tx, { channel, now: at, ...(sender !== undefined && { sender }) });
        if (codes.length === 0) return { kind: "none_open" };
        const found = codes.find(({ salt = "", codeHash = "", ...of }) =>
          isSame(hashOf({ salt, channel, sender: of.sender, code }), codeHash),
        );
        if (found === undefined) {
          for (const each of codes) await rows.countWrong(tx, each, mostTries);
          await audit?.record(tx, about(channel, by, "wrong_code", { sender }));
          return { kind: "wrong" };
        }
        const { sender: admitted, recipient, name } = found;
        await rows.approve(tx, { channel, sender: admitted, by, now: at });
        const id = `paired:${channel}:${admitted}:${at}`;
        await deliveries.post(tx, { id, kind: "pairing", channel, recipient, text: admittedText });
        await audit?.record(tx, about(channel, by, "paired", { sender: admitted, name }));
        return { kind: "approved", sender: admitted };
      });
      if (approved.kind === "approved") deliveries.committed();
      return approved;
    },

    revoke: ({ channel, sender, by }) =>
      store.write(async (tx) => {
        const gone = await rows.remove(tx, channel, sender);
        if (!gone) return false;
        const jobs = await disableMade(tx, `${channel}:${sender}`, now());
        for (const id of jobs) await skipQueued(tx, id, "its owner is no longer admitted", now());
        const stopped = jobs.length > 0 && { jobs: jobs.length };
        await audit?.record(tx, about(channel, by, "unpaired", { sender, ...stopped }));
        return true;
      }),

    list: (page) => store.read((tx) => rows.list(tx, page)),
  };
}
