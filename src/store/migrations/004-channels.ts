import type { Migration } from "./migration.ts";

/**
 * What comes in and goes out through channels. An outbox line is what goes to one recipient: its rows are numbered in
 * the order of their commits, and one process at a time sends for it.
 */
export const channels: Migration = {
  sql: `
    ALTER TABLE turns ADD COLUMN delivery TEXT;

    CREATE TABLE outbox_lines (
      channel TEXT NOT NULL,
      recipient TEXT NOT NULL,
      last_number BIGINT NOT NULL,
      next_at BIGINT,
      owner TEXT,
      lease_until BIGINT NOT NULL,
      PRIMARY KEY (channel, recipient)
    );
    CREATE INDEX outbox_lines_due ON outbox_lines (channel, next_at) WHERE next_at IS NOT NULL;

    CREATE TABLE outbox (
      id TEXT PRIMARY KEY,
      channel TEXT NOT NULL,
      recipient TEXT NOT NULL,
      number BIGINT NOT NULL,
      turn_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      part BIGINT NOT NULL,
      state TEXT NOT NULL,
      attempts BIGINT NOT NULL,
      since BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      ended_at BIGINT,
      provider_id TEXT,
      receipt TEXT,
      last_error TEXT,
      piece TEXT NOT NULL
    );
    CREATE UNIQUE INDEX outbox_by_turn ON outbox (turn_id, kind, part);
    CREATE INDEX outbox_waiting ON outbox (channel, recipient, number) WHERE ended_at IS NULL;
    CREATE INDEX outbox_dead ON outbox (created_at, id) WHERE state = 'dead';
    CREATE INDEX outbox_ended ON outbox (ended_at) WHERE ended_at IS NOT NULL;
    CREATE INDEX outbox_by_provider ON outbox (channel, provider_id) WHERE provider_id IS NOT NULL;

    CREATE TABLE previews (
      turn_id TEXT PRIMARY KEY,
      message_id TEXT NOT NULL,
      created_at BIGINT NOT NULL
    );

    CREATE TABLE deliveries (
      channel TEXT NOT NULL,
      id TEXT NOT NULL,
      seen_at BIGINT NOT NULL,
      PRIMARY KEY (channel, id)
    );
    CREATE INDEX deliveries_by_time ON deliveries (seen_at);

    CREATE TABLE pairings (
      channel TEXT NOT NULL,
      sender TEXT NOT NULL,
      name TEXT,
      asked_at BIGINT NOT NULL,
      salt TEXT,
      code_hash TEXT,
      tries BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      approved_at BIGINT,
      approved_by TEXT,
      recipient TEXT NOT NULL,
      PRIMARY KEY (channel, sender)
    );
    CREATE INDEX pairings_open ON pairings (channel, expires_at) WHERE approved_at IS NULL;`,
};
