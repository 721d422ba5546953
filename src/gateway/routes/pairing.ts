import * as v from "valibot";
import { type App, principalOf } from "../call.ts";
import { ChannelName, Code, pairingsOf, refusal, SenderId } from "../operations/pairing.ts";
import type { ChannelDesk, GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";

const Approve = v.object({ channelId: ChannelName, senderId: SenderId, code: Code });
const Revoke = v.object({ channelId: ChannelName, senderId: SenderId });

/** The most that one list holds. */
const mostItems = 200;

/** Those who were admitted, and not those who only asked, however many these are. */
async function listApproved(pairings: ChannelDesk["pairings"]) {
  const approved = [];
  let cursor: string | undefined;
  do {
    const page = await pairings.list({ limit: mostItems, ...(cursor !== undefined && { cursor }) });
    approved.push(...page.items.filter(({ approvedAt }) => approvedAt !== undefined));
    cursor = page.next;
  } while (cursor !== undefined && approved.length < mostItems);
  return approved.slice(0, mostItems);
}

const failure = (status: 400 | 404, error: string) => json({ success: false, error }, status);

/** `/pairing/*`, as tools around OpenClaw.NET call it; for the operator alone, which the door sees to. */
export function pairingRoutes(app: App, { channels }: GatewayParts): void {
  app.get("/pairing/list", async () => {
    const approved = await listApproved(pairingsOf(channels));
    return json({
      items: approved.map(({ channel: channelId, sender: senderId, approvedAt }) => ({
        channelId,
        senderId,
        approvedAt,
      })),
    });
  });

  app.post("/pairing/approve", async (c) => {
    const query = v.safeParse(Approve, c.req.query());
    if (!query.success) return failure(400, "channelId, senderId and code are needed in the query.");
    const { channelId: channel, senderId: sender, code } = query.output;
    const by = principalOf(c).name;
    const approved = await pairingsOf(channels).approve({ channel, sender, code, by });
    return approved.kind === "approved"
      ? json({ success: true })
      : failure(404, refusal(approved.kind, channel));
  });

  app.post("/pairing/revoke", async (c) => {
    const query = v.safeParse(Revoke, c.req.query());
    if (!query.success) return failure(400, "channelId and senderId are needed in the query.");
    const { channelId: channel, senderId: sender } = query.output;
    const gone = await pairingsOf(channels).revoke({ channel, sender, by: principalOf(c).name });
    return gone ? json({ success: true }) : failure(404, `There is no pairing of ${sender} on ${channel}.`);
  });
}
