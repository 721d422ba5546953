import { mayAddress, type Principal } from "../agent/turn.ts";
import * as sessions from "../store/sessions.ts";
import * as turns from "../store/turns.ts";
import { noSession, noTurn } from "./ids.ts";
import type { GatewayParts } from "./parts.ts";

/** The session, when the principal may address it. Somebody else's is the same `not_found` as none. */
export async function ownSession(
  { store }: GatewayParts,
  principal: Principal,
  id: string,
): Promise<sessions.Session> {
  const session = await store.read((tx) => sessions.find(tx, id));
  if (session === undefined || !mayAddress(principal, session.owner)) throw noSession(id);
  return session;
}

/** A turn of a session that the principal may address. */
export async function ownTurn(
  { store }: GatewayParts,
  principal: Principal,
  id: string,
): Promise<turns.TurnRow> {
  const { turn, session } = await store.read(async (tx) => {
    const turn = await turns.find(tx, id);
    return { turn, session: turn && (await sessions.find(tx, turn.sessionId)) };
  });
  if (turn === undefined || session === undefined || !mayAddress(principal, session.owner)) throw noTurn(id);
  return turn;
}
