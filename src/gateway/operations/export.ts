import * as v from "valibot";
import { AppError } from "../../errors.ts";
import { BranchName, findPlace } from "../../store/branches.ts";
import * as sessions from "../../store/sessions.ts";
import { SessionId } from "../ids.ts";
import { markdownHead, markdownOf } from "../markdown.ts";
import { ownSession } from "../owned.ts";
import { defineLines, type OperationContext } from "./operation.ts";
import { pageOf } from "./paging.ts";

const mostCharacters = 64 * 1024 * 1024;

type ExportedSession = Omit<sessions.Session, "lastEvent">;

interface Writing {
  head(session: ExportedSession): string;
  entry(entry: sessions.Entry): string;
}

const jsonLines: Writing = {
  head: (session) => `${JSON.stringify({ type: "session", ...session })}\n`,
  entry({ id, parentId, turnId, createdAt, message }) {
    const rest = JSON.stringify({ type: "message", id, parentId, turnId, createdAt });
    // The stored text goes out as it is.
    return `${rest.slice(0, -1)},"message":${message.json}}\n`;
  },
};

const markdown: Writing = { head: markdownHead, entry: markdownOf };

/** The path that ends at `leafId`, each entry written down, the newest first: that is the way parents lead. */
async function writeBack(
  { store }: OperationContext,
  session: string,
  leafId: string | undefined,
  write: Writing["entry"],
): Promise<string[]> {
  const written: string[] = [];
  let characters = 0;
  for (let cursor = leafId; cursor !== undefined;) {
    const from = cursor;
    const page = await store.read((tx) =>
      sessions.messages(tx, session, pageOf({ cursor: from, limit: 200 })),
    );
    for (const entry of page.items.toReversed()) {
      const line = write(entry);
      characters += line.length;
      if (characters > mostCharacters)
        throw new AppError(
          "payload_too_large",
          "This session is too long to be exported at once: page through its messages.",
        );
      written.push(line);
    }
    cursor = page.next;
  }
  return written;
}

export const exportSession = defineLines({
  name: "sessions.export",
  http: "GET /api/sessions/:session/export",
  scope: "own-session",
  summary:
    "The path of a session, or of one of its branches, oldest message first: as JSON Lines that begin with the session, or as Markdown.",
  params: v.object({
    session: SessionId,
    branch: v.optional(BranchName, "leaf"),
    format: v.optional(v.picklist(["jsonl", "markdown"]), "jsonl"),
  }),
  formats: { jsonl: "application/x-ndjson", markdown: "text/markdown; charset=utf-8" },
  async *lines({ session, branch, format }, context) {
    const found = await ownSession(context, context.principal, session);
    const { entryId } = await context.store.read((tx) => findPlace(tx, found, branch));
    const writing = format === "markdown" ? markdown : jsonLines;
    const newestFirst = await writeBack(context, session, entryId, writing.entry);
    const { lastEvent: _, ...told } = found;
    yield writing.head(told);
    yield* newestFirst.toReversed();
  },
});
