import type { Migration } from "./migration.ts";

/** Jobs, and a row for each slot of one: its unique (job, slot) is what lets it run once. */
export const jobs: Migration = {
  sql: `
    CREATE TABLE jobs (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      owner TEXT NOT NULL,
      scope TEXT NOT NULL,
      source TEXT NOT NULL,
      made_by_turn TEXT,
      enabled BIGINT NOT NULL,
      next_at BIGINT,
      revision BIGINT NOT NULL,
      anchor BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL,
      prompt_start TEXT NOT NULL,
      only_tools TEXT,
      spec TEXT NOT NULL
    );
    CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX jobs_by_owner ON jobs (owner, name);

    CREATE TABLE job_prompts (
      job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
      prompt TEXT NOT NULL
    );

    CREATE TABLE job_runs (
      id TEXT PRIMARY KEY,
      job_id TEXT NOT NULL,
      job_name TEXT NOT NULL,
      slot BIGINT NOT NULL,
      manual BIGINT NOT NULL,
      state TEXT NOT NULL,
      slots BIGINT NOT NULL,
      attempts BIGINT NOT NULL,
      next_at BIGINT,
      owner TEXT,
      turn_id TEXT,
      session_id TEXT,
      input_tokens BIGINT NOT NULL,
      output_tokens BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      started_at BIGINT,
      ended_at BIGINT,
      reason TEXT,
      delivery TEXT
    );
    CREATE UNIQUE INDEX job_runs_by_slot ON job_runs (job_id, slot);
    CREATE INDEX job_runs_by_name ON job_runs (job_name, slot, id);
    CREATE INDEX job_runs_ready ON job_runs (next_at, slot) WHERE next_at IS NOT NULL;
    CREATE INDEX job_runs_open ON job_runs (job_id, slot) WHERE ended_at IS NULL;
    CREATE INDEX job_runs_running ON job_runs (owner) WHERE owner IS NOT NULL;
    CREATE INDEX job_runs_ended ON job_runs (ended_at) WHERE ended_at IS NOT NULL;`,
};
