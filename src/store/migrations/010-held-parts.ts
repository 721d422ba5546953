import type { Migration } from "./migration.ts";

/** Parts of a message that a provider tells one by one: they wait here until the message is whole. */
export const heldParts: Migration = {
  sql: `
    CREATE TABLE held_parts (
      channel TEXT NOT NULL,
      id TEXT NOT NULL,
      place TEXT NOT NULL,
      whole TEXT NOT NULL,
      number BIGINT NOT NULL,
      held_at BIGINT NOT NULL,
      part TEXT NOT NULL,
      PRIMARY KEY (channel, id)
    );
    CREATE INDEX held_parts_by_place ON held_parts (channel, place, whole, number);`,
};
