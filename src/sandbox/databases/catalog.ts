/** What lists the tables, and describes one (its name is the parameter), for each kind of database. */
export const catalog = {
  postgres: {
    tables: `SELECT table_schema, table_name, table_type FROM information_schema.tables
      WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`,
    schema: `SELECT table_schema, column_name, data_type, is_nullable, column_default FROM information_schema.columns
      WHERE CAST(? AS text) IN (table_name, table_schema || '.' || table_name) ORDER BY 1, ordinal_position`,
  },
  mysql: {
    tables: `SELECT table_name AS name, table_type AS type, table_rows AS about_rows FROM information_schema.tables
      WHERE table_schema = DATABASE() ORDER BY 1`,
    schema: `SELECT column_name AS name, column_type AS type, is_nullable AS nullable, column_key AS in_key,
      column_default AS default_value FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position`,
  },
  sqlite: {
    tables: `SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      ORDER BY name`,
    schema: "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
  },
} as const;
