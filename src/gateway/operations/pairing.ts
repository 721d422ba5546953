import * as v from "valibot";
import { AppError } from "../../errors.ts";
import type { ChannelDesk } from "../parts.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

export const ChannelName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_-]{0,63}$/, "A channel is a name such as telegram."),
);
export const SenderId = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
export const Code = v.pipe(v.string(), v.regex(/^\d{6}$/, "A pairing code has six digits."));

/** The admissions of channels. Throws `not_found` where there are no channels at all. */
export function pairingsOf(channels: ChannelDesk | undefined): ChannelDesk["pairings"] {
  if (channels !== undefined) return channels.pairings;
  throw new AppError("not_found", "There are no channels here.");
}

const list = defineOperation({
  name: "pairing.list",
  http: "GET /api/pairing",
  scope: "operator",
  summary: "Senders of channels who were admitted by a code, or asked to be; codes are never shown.",
  params: v.object({ cursor: PageCursor, limit: Limit }),
  result: pageSchema(
    v.object({
      channel: v.string(),
      sender: v.string(),
      name: v.optional(v.string()),
      state: v.picklist(["approved", "open", "expired"]),
      askedAt: v.number(),
      expiresAt: v.number(),
      approvedAt: v.optional(v.number()),
      approvedBy: v.optional(v.string()),
    }),
  ),
  async run(page, { channels }) {
    const { items, ...rest } = await pairingsOf(channels).list(pageOf(page));
    const now = Date.now();
    return {
      ...rest,
      items: items.map(({ salt: _, codeHash, tries: __, recipient: ___, ...pairing }) => {
        const isOpen = codeHash !== undefined && pairing.expiresAt > now;
        const state = pairing.approvedAt !== undefined ? "approved" : isOpen ? "open" : "expired";
        return { ...pairing, state } as const;
      }),
    };
  },
});

const approve = defineOperation({
  name: "pairing.approve",
  http: "POST /api/pairing/approve",
  scope: "operator",
  summary:
    "Admits the sender who was sent this code, with `sender` only that one. After five wrong codes the open ones are void.",
  params: v.object({ channel: ChannelName, code: Code, sender: v.optional(SenderId) }),
  result: v.object({ channel: v.string(), sender: v.string() }),
  async run({ channel, code, sender }, { channels, principal }) {
    const of = { channel, code, by: principal.name, ...(sender !== undefined && { sender }) };
    const approved = await pairingsOf(channels).approve(of);
    if (approved.kind === "approved") return { channel, sender: approved.sender };
    throw new AppError("not_found", refusal(approved.kind, channel));
  },
});

/** Why a code admits nobody, and what to do. */
export const refusal = (kind: "wrong" | "none_open", channel: string) =>
  kind === "wrong"
    ? `This is none of the open pairing codes of ${channel}; after five wrong ones they are void.`
    : `No pairing code of ${channel} is open: they are good for an hour, and void after five wrong ones. Let the sender write again.`;

const revoke = defineOperation({
  name: "pairing.revoke",
  http: "POST /api/pairing/revoke",
  scope: "operator",
  summary: "Takes the admission of a sender back; the sessions stay.",
  params: v.object({ channel: ChannelName, sender: SenderId }),
  result: v.object({ channel: v.string(), sender: v.string() }),
  async run({ channel, sender }, { channels, principal }) {
    if (await pairingsOf(channels).revoke({ channel, sender, by: principal.name }))
      return { channel, sender };
    throw new AppError("not_found", `There is no pairing of ${sender} on ${channel}.`);
  },
});

export const pairingOperations: readonly Operation[] = [list, approve, revoke];
