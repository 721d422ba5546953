import type { Migration } from "./migration.ts";

/** Whose delegate made a call: what a turn spends is the sum of its tree. */
export const delegates: Migration = {
  sql: `
    ALTER TABLE usage ADD COLUMN parent_turn_id TEXT;
    CREATE INDEX usage_by_parent ON usage (parent_turn_id) WHERE parent_turn_id IS NOT NULL;`,
};
