import { AppError } from "../../errors.ts";
import type { Dialect } from "../tx.ts";
import { indexNote, searchNotes } from "./search.ts";

/** PostgreSQL takes 7,999. */
const mostBytes = 7000;

/** Apart from what others send on the same server. */
export const channelOf = (topic: string) => `openclaw_${topic}`;

export const postgresDialect: Dialect = {
  name: "postgres",
  searchNotes,
  indexNote,
  // Several processes do it at once, so that none of their rows may be touched.
  prove: (tx) => tx`SELECT pg_logical_emit_message(true, 'openclaw', '') IS NULL AS failed`,
  async signal(tx, topic, payload) {
    const bytes = Buffer.byteLength(payload);
    if (bytes > mostBytes)
      throw new AppError("internal", `A signal of ${topic} has ${bytes} bytes: send an id instead.`);
    await tx`SELECT pg_notify(${channelOf(topic)}, ${payload})`;
  },
};
