import type { Migration } from "./migration.ts";

/** Questions of turns that keep nothing: no session takes them with it, so a sweep looks for them. */
export const unkeptApprovals: Migration = {
  sql: `CREATE INDEX approvals_unkept ON approvals (expires_at) WHERE session_id IS NULL;`,
};
