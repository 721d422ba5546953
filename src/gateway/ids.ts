import * as v from "valibot";
import { mayAddress, type Principal } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import * as sessions from "../store/sessions.ts";
import type { GatewayParts } from "./parts.ts";

export const SessionId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9\-_.:]{1,128}$/, "A session id is 1 to 128 of A-Z a-z 0-9 - _ . :"),
);

/** The client's own id of a message. */
export const MessageId = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

export const TurnId = v.pipe(v.string(), v.regex(/^[0-9a-f-]{1,64}$/, "This is not the id of a turn."));

export const ApprovalId = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, "This is not the id of an approval."));

const reserved = ["telegram:", "sms:", "slack:", "websocket:", "webhook:", "job:", "delegate:"];

/**
 * Throws `bad_request` when a client would open a session under a prefix that the server keeps for itself. One that is
 * there already may be addressed by whose it is; to everybody else it is as if there were none, because the id may hold
 * a telephone number.
 */
export async function checkMayOpen(
  store: GatewayParts["store"],
  principal: Principal,
  id: string,
): Promise<void> {
  const prefix = reserved.find((each) => id.startsWith(each));
  if (prefix === undefined) return;
  const found = await store.read((tx) => sessions.find(tx, id));
  if (found !== undefined && mayAddress(principal, found.owner)) return;
  throw new AppError(
    "bad_request",
    `No session ${id} is there, and new ones may not begin with "${prefix}".`,
  );
}

export const noSession = (id: string) => new AppError("not_found", `There is no session ${id}.`);
export const noTurn = (id: string) => new AppError("not_found", `There is no turn ${id}.`);
