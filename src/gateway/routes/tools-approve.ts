import * as v from "valibot";
import { type App, principalOf } from "../call.ts";
import { ApprovalId } from "../ids.ts";
import type { GatewayParts } from "../parts.ts";
import { json } from "../respond.ts";

const Query = v.object({
  approvalId: ApprovalId,
  approved: v.pipe(v.string(), v.toLowerCase(), v.picklist(["true", "false"])),
});

const failure = (status: 400 | 404, error: string) => json({ success: false, error }, status);

/** `POST /tools/approve?approvalId=&approved=`, as tools around OpenClaw.NET call it. */
export function toolsApproveRoutes(app: App, { approvals }: GatewayParts): void {
  app.post("/tools/approve", async (c) => {
    const query = v.safeParse(Query, c.req.query());
    if (!query.success)
      return failure(400, "approvalId and approved (true or false) are needed in the query.");
    const { approvalId, approved } = query.output;
    const verdict = await approvals.decide(approvalId, principalOf(c), { approved: approved === "true" });
    if (verdict === "recorded") return json({ success: true });
    return failure(404, `No pending approval found for id: ${approvalId}`);
  });
}
