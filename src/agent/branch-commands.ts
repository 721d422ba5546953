import * as v from "valibot";
import { AppError } from "../errors.ts";
import * as branches from "../store/branches.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import { checkLease } from "./begin-turn.ts";
import type { Command } from "./commands.ts";

const needsSession = "This command needs a session that is kept.";
const mostListed = 50;

/** A name as a person wrote it behind a command. Throws `bad_request` saying what a name may be. */
function readName(text: string): string {
  const name = v.safeParse(branches.BranchName, text);
  if (name.success) return name.output;
  throw new AppError("bad_request", name.issues[0].message, { param: "name" });
}

const count = (messages: number) => (messages === 1 ? "1 message" : `${messages} messages`);

const line = ({ name, messages, createdAt, entryId }: branches.Branch, leafId: string | undefined) =>
  `- ${name}: ${count(messages)}, ${new Date(createdAt).toISOString()}${entryId === leafId ? " (here)" : ""}`;

/** The commands about the tree of the session that they are sent in. */
export function branchCommands(store: Store, now: () => number = Date.now): Command[] {
  const make = (sessionId: string, wanted: string) =>
    store.write(async (tx) => {
      const name = wanted === "" ? await branches.freeName(tx, sessionId) : readName(wanted);
      return branches.create(tx, sessionId, { name, now: now() });
    });

  return [
    {
      name: "branch",
      usage: "[name]",
      doc: "names this place of the conversation, to come back to it",
      when: "now",
      async run(wanted, { sessionId }) {
        if (sessionId === undefined) return needsSession;
        const { name, messages } = await make(sessionId, wanted);
        return `Branch ${name} made after ${count(messages)}. /restore ${name} comes back here.`;
      },
    },
    {
      name: "branches",
      doc: "lists the branches of this session",
      when: "now",
      async run(_args, { sessionId }) {
        if (sessionId === undefined) return needsSession;
        const { items, next, leafId } = await store.read(async (tx) => ({
          ...(await branches.list(tx, sessionId, { limit: mostListed })),
          leafId: (await sessions.find(tx, sessionId))?.leafId,
        }));
        if (items.length === 0) return "This session has no branches yet: /branch makes one.";
        const lines = items.map((item) => line(item, leafId));
        return ["Branches, newest first:", ...lines, ...(next === undefined ? [] : ["- …"])].join("\n");
      },
    },
    {
      name: "restore",
      usage: "<name>",
      doc: "goes back to a branch; where you stood is kept as another",
      // It waits for the turn that runs, whose messages belong to the path that is left.
      when: "in_turn",
      async run(wanted, { id, sessionId, lease }) {
        if (sessionId === undefined) return needsSession;
        if (wanted === "") return "Usage: /restore <name>. /branches lists the names.";
        const point = readName(wanted);
        const { depth, kept } = await store.write(async (tx) => {
          // A process that slept until another has taken its turns over must not move the session any more.
          await checkLease(tx, id, lease);
          return branches.restore(tx, sessionId, point, now());
        });
        const left = kept === undefined ? "" : ` Where it stood before is kept as ${kept}.`;
        return `The session stands at ${point}, after ${count(depth)}.${left}`;
      },
    },
  ];
}
