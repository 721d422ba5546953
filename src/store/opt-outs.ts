import type { Tx } from "./tx.ts";

/** Who said that nothing is to be sent to them; kept until they say otherwise. */

export async function optOut(tx: Tx, channel: string, sender: string, now: number): Promise<void> {
  await tx`
    INSERT INTO opt_outs (channel, sender, stopped_at) VALUES (${channel}, ${sender}, ${now})
    ON CONFLICT (channel, sender) DO NOTHING`;
}

export async function optIn(tx: Tx, channel: string, sender: string): Promise<void> {
  await tx`DELETE FROM opt_outs WHERE channel = ${channel} AND sender = ${sender}`;
}

export async function isOptedOut(tx: Tx, channel: string, sender: string): Promise<boolean> {
  return (await tx`SELECT 1 FROM opt_outs WHERE channel = ${channel} AND sender = ${sender}`).length > 0;
}
