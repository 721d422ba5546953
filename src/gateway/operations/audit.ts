import * as v from "valibot";
import { auditKinds } from "../../store/audit.ts";
import { list as listAudit } from "../../store/audit-list.ts";
import { readDetail } from "../../store/audit-rows.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { Limit, PageCursor, pageOf, pageSchema } from "./paging.ts";

const Name = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(256)));

/** Such as 2026-11-23 or 2026-11-23T10:00:00Z. */
const Time = v.pipe(
  v.string(),
  v.maxLength(40),
  v.check(
    (time) => /^\d{4}-\d\d-\d\d/.test(time) && !Number.isNaN(Date.parse(time)),
    "Expected a time such as 2026-11-23 or 2026-11-23T10:00:00Z",
  ),
);

const list = defineOperation({
  name: "audit.list",
  http: "GET /api/audit",
  scope: "operator",
  summary: "What was done, refused, approved, and who came in, newest first.",
  params: v.object({
    kind: v.optional(v.picklist(auditKinds)),
    tool: Name,
    session: Name,
    principal: Name,
    since: v.optional(Time),
    cursor: PageCursor,
    limit: Limit,
  }),
  result: pageSchema(
    v.object({
      chain: v.string(),
      seq: v.number(),
      at: v.number(),
      kind: v.string(),
      principal: v.string(),
      sessionId: v.optional(v.string()),
      turnId: v.optional(v.string()),
      callId: v.optional(v.string()),
      tool: v.optional(v.string()),
      outcome: v.string(),
      address: v.optional(v.string()),
      detail: v.unknown(),
      hash: v.string(),
    }),
  ),
  async run({ kind, tool, session: sessionId, principal, since, ...page }, { store }) {
    const from = since === undefined ? undefined : Date.parse(since);
    const query = { kind, tool, sessionId, principal, since: from, ...pageOf(page) };
    const { items, ...rest } = await listAudit(store.read, query);
    return { items: items.map((row) => ({ ...row, detail: readDetail(row) })), ...rest };
  },
});

export const auditOperations: readonly Operation[] = [list];
