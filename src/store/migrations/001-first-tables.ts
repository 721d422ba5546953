import type { Migration } from "./migration.ts";

/** Times are milliseconds since 1970, booleans 0 or 1. Wide columns stand last: SQLite reads the narrow ones without them. */
export const firstTables: Migration = {
  sql: `
    CREATE TABLE sessions (
      id TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      channel TEXT NOT NULL,
      model TEXT,
      leaf_id TEXT,
      last_turn BIGINT NOT NULL,
      last_event BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL,
      deleting BIGINT NOT NULL DEFAULT 0,
      title TEXT
    );
    CREATE INDEX sessions_deleting ON sessions (id) WHERE deleting = 1;
    CREATE INDEX sessions_by_time ON sessions (updated_at, id);
    CREATE INDEX sessions_by_owner ON sessions (owner, updated_at, id);

    CREATE TABLE entries (
      id TEXT PRIMARY KEY,
      parent_id TEXT,
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      turn_id TEXT,
      depth BIGINT NOT NULL,
      first_user_id TEXT,
      kept_from TEXT,
      role TEXT NOT NULL,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      call_ids TEXT NOT NULL,
      message TEXT NOT NULL,
      meta TEXT
    );
    CREATE INDEX entries_by_session ON entries (session_id);
    CREATE UNIQUE INDEX entries_summaries ON entries (kept_from) WHERE kept_from IS NOT NULL;

    CREATE TABLE branches (
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      entry_id TEXT,
      kept BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (session_id, name)
    );
    CREATE INDEX branches_by_time ON branches (session_id, created_at, name);

    CREATE TABLE turns (
      id TEXT PRIMARY KEY,
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      seq BIGINT NOT NULL,
      principal TEXT NOT NULL,
      scope TEXT NOT NULL,
      channel TEXT NOT NULL,
      message_id TEXT,
      state TEXT NOT NULL,
      owner TEXT NOT NULL,
      fence BIGINT NOT NULL,
      cancel_asked BIGINT NOT NULL,
      user_entry_id TEXT,
      base_leaf_id TEXT,
      first_event BIGINT NOT NULL,
      error_code TEXT,
      error_message TEXT,
      input_tokens BIGINT NOT NULL,
      output_tokens BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      started_at BIGINT,
      ended_at BIGINT,
      text TEXT NOT NULL,
      input TEXT,
      request TEXT NOT NULL
    );
    CREATE UNIQUE INDEX turns_in_order ON turns (session_id, seq);
    CREATE UNIQUE INDEX turns_by_message ON turns (session_id, message_id) WHERE message_id IS NOT NULL;
    CREATE INDEX turns_by_start ON turns (session_id, started_at) WHERE started_at IS NOT NULL;
    CREATE INDEX turns_unfinished ON turns (session_id, seq) WHERE ended_at IS NULL;

    CREATE TABLE processes (
      id TEXT PRIMARY KEY,
      beat BIGINT NOT NULL
    );

    CREATE TABLE events (
      session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      seq BIGINT NOT NULL,
      turn_id TEXT NOT NULL,
      created_at BIGINT NOT NULL,
      json TEXT NOT NULL,
      PRIMARY KEY (session_id, seq)
    );
    CREATE INDEX events_by_turn ON events (turn_id, seq);

    CREATE TABLE approvals (
      id TEXT PRIMARY KEY,
      turn_id TEXT NOT NULL,
      session_id TEXT,
      call_id TEXT NOT NULL,
      tool_name TEXT NOT NULL,
      requester TEXT NOT NULL,
      state TEXT NOT NULL,
      asked_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      decided_at BIGINT,
      reason TEXT NOT NULL,
      note TEXT,
      arguments_preview TEXT NOT NULL,
      arguments_json TEXT NOT NULL
    );
    CREATE INDEX approvals_by_call ON approvals (turn_id, call_id);
    CREATE INDEX approvals_pending ON approvals (asked_at, id) WHERE state = 'pending';

    CREATE TABLE usage (
      id TEXT PRIMARY KEY,
      turn_id TEXT NOT NULL,
      session_id TEXT,
      principal TEXT NOT NULL,
      channel TEXT NOT NULL,
      model TEXT NOT NULL,
      input_tokens BIGINT NOT NULL,
      output_tokens BIGINT NOT NULL,
      cached_tokens BIGINT NOT NULL,
      reasoning_tokens BIGINT NOT NULL,
      estimated BIGINT NOT NULL,
      cost BIGINT,
      created_at BIGINT NOT NULL
    );
    CREATE INDEX usage_by_time ON usage (created_at);
    CREATE INDEX usage_by_turn ON usage (turn_id);

    CREATE TABLE usage_totals (
      session_id TEXT NOT NULL,
      model TEXT NOT NULL,
      calls BIGINT NOT NULL,
      estimated_calls BIGINT NOT NULL,
      unpriced_calls BIGINT NOT NULL,
      input_tokens BIGINT NOT NULL,
      output_tokens BIGINT NOT NULL,
      cached_tokens BIGINT NOT NULL,
      reasoning_tokens BIGINT NOT NULL,
      cost BIGINT NOT NULL,
      PRIMARY KEY (session_id, model)
    );

    CREATE TABLE usage_days (
      day TEXT NOT NULL,
      principal TEXT NOT NULL,
      channel TEXT NOT NULL,
      model TEXT NOT NULL,
      calls BIGINT NOT NULL,
      estimated_calls BIGINT NOT NULL,
      unpriced_calls BIGINT NOT NULL,
      input_tokens BIGINT NOT NULL,
      output_tokens BIGINT NOT NULL,
      cached_tokens BIGINT NOT NULL,
      reasoning_tokens BIGINT NOT NULL,
      cost BIGINT NOT NULL,
      PRIMARY KEY (day, principal, channel, model)
    );

    CREATE TABLE responses (
      id TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      previous_id TEXT,
      bytes BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      response TEXT NOT NULL,
      messages TEXT NOT NULL
    );
    CREATE INDEX responses_by_time ON responses (created_at, id);
    CREATE INDEX responses_by_previous ON responses (previous_id) WHERE previous_id IS NOT NULL;

    CREATE TABLE notes (
      owner TEXT NOT NULL,
      key TEXT NOT NULL,
      updated_at BIGINT NOT NULL,
      content TEXT NOT NULL,
      PRIMARY KEY (owner, key)
    );`,

  // The search index keeps no text of its own, and its rows have numbers that a copy of the database does not change
  // (those of `notes` itself may).
  sqlite: `
    CREATE TABLE notes_numbers (number INTEGER PRIMARY KEY, owner TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (owner, key));
    CREATE VIRTUAL TABLE notes_search USING fts5 (
      key, content, content = '', contentless_delete = 1, tokenize = 'trigram remove_diacritics 1'
    );
    CREATE TRIGGER notes_added AFTER INSERT ON notes BEGIN
      INSERT INTO notes_numbers (owner, key) VALUES (new.owner, new.key);
      INSERT INTO notes_search (rowid, key, content)
        SELECT number, new.key, new.content FROM notes_numbers WHERE owner = new.owner AND key = new.key;
    END;
    CREATE TRIGGER notes_changed AFTER UPDATE ON notes BEGIN
      UPDATE notes_search SET key = new.key, content = new.content
        WHERE rowid = (SELECT number FROM notes_numbers WHERE owner = new.owner AND key = new.key);
    END;
    CREATE TRIGGER notes_removed AFTER DELETE ON notes BEGIN
      DELETE FROM notes_search
        WHERE rowid = (SELECT number FROM notes_numbers WHERE owner = old.owner AND key = old.key);
      DELETE FROM notes_numbers WHERE owner = old.owner AND key = old.key;
    END;`,

  // Words are found by the index, parts of them in the text without case and accents.
  postgres: `
    CREATE TABLE notes_search (
      owner TEXT NOT NULL,
      key TEXT NOT NULL,
      words TSVECTOR NOT NULL,
      folded TEXT NOT NULL,
      PRIMARY KEY (owner, key),
      FOREIGN KEY (owner, key) REFERENCES notes (owner, key) ON DELETE CASCADE
    );
    CREATE INDEX notes_search_words ON notes_search USING gin (words);`,
};
