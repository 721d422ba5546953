import type { Migration } from "./migration.ts";

/** Who said that nothing is to be sent to them. */
export const optOuts: Migration = {
  sql: `
    CREATE TABLE opt_outs (
      channel TEXT NOT NULL,
      sender TEXT NOT NULL,
      stopped_at BIGINT NOT NULL,
      PRIMARY KEY (channel, sender)
    );`,
};
