import type { Migration } from "./migration.ts";

/** Decisions that reach beyond one call, the pattern that each question would be remembered by, and whether its call began. */
export const approvalRules: Migration = {
  sql: `
    ALTER TABLE approvals ADD COLUMN pattern TEXT;
    ALTER TABLE approvals ADD COLUMN started_at BIGINT;
    UPDATE approvals SET started_at = decided_at WHERE state = 'approved';

    CREATE TABLE approval_rules (
      id TEXT PRIMARY KEY,
      principal TEXT NOT NULL,
      session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
      tool_name TEXT NOT NULL,
      approved BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      decided_by TEXT NOT NULL,
      note TEXT,
      pattern TEXT NOT NULL
    );
    CREATE INDEX approval_rules_by_tool ON approval_rules (principal, tool_name, approved, created_at, id);
    CREATE INDEX approval_rules_by_session ON approval_rules (session_id) WHERE session_id IS NOT NULL;
    CREATE INDEX approval_rules_by_time ON approval_rules (created_at, id);`,
};
