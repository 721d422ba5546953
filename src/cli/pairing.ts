import * as v from "valibot";
import { harmless } from "../sandbox/harmless.ts";
import type { ExitCode, Invocation } from "./command.ts";
import { connected } from "./connected.ts";
import type { Connection } from "./connection.ts";
import { readArguments } from "./read-arguments.ts";
import { request } from "./request.ts";

const Listed = v.object({
  items: v.array(
    v.object({
      channel: v.string(),
      sender: v.string(),
      name: v.optional(v.string(), ""),
      state: v.string(),
      askedAt: v.number(),
      approvedAt: v.optional(v.number()),
    }),
  ),
  next: v.optional(v.string()),
});

const Admitted = v.object({ channel: v.string(), sender: v.string() });

const usage = "Say openclaw pairing list, approve CHANNEL CODE, or revoke CHANNEL SENDER.";

/** `openclaw pairing …`: who may write by the channels of a running server. 0 when it was done, 1 when it was refused. */
export async function pairing({ args, startFolder }: Invocation): Promise<ExitCode> {
  const read = readArguments(args, {});
  const act = read.ok ? actOf(read.words) : undefined;
  if (act === undefined) {
    console.error(`openclaw pairing: ${read.ok ? usage : read.fault}`);
    return 2;
  }
  return connected(startFolder, async (connection) => {
    await act(connection);
    return 0;
  });
}

function actOf(words: readonly string[]): ((connection: Connection) => Promise<void>) | undefined {
  const [verb, channel, last, ...more] = words;
  if (verb === "list" && channel === undefined) return listAll;
  if (channel === undefined || last === undefined || more.length > 0) return undefined;
  if (verb === "approve") return (connection) => approve(connection, channel, last);
  if (verb === "revoke") return (connection) => revoke(connection, channel, last);
  return undefined;
}

async function listAll(connection: Connection) {
  let none = true;
  for (let cursor: string | undefined, more = true; more;) {
    const page = v.parse(
      Listed,
      await request(connection, "pairing.list", { limit: 200, ...(cursor && { cursor }) }),
    );
    for (const { channel, sender, name, state, askedAt, approvedAt } of page.items) {
      const at = new Date(approvedAt ?? askedAt).toISOString();
      // A stranger chose the name: it may not steer this terminal.
      console.log([channel, sender, state, at, name].map(harmless).join("  ").trimEnd());
      none = false;
    }
    cursor = page.next;
    more = cursor !== undefined;
  }
  if (none) console.log("Nobody was admitted, and nobody asked.");
}

async function approve(connection: Connection, channel: string, code: string) {
  const admitted = v.parse(Admitted, await request(connection, "pairing.approve", { channel, code }));
  console.log(`Admitted ${harmless(admitted.sender)} on ${channel}.`);
}

async function revoke(connection: Connection, channel: string, sender: string) {
  await request(connection, "pairing.revoke", { channel, sender });
  console.log(`${sender} may not write on ${channel} any more.`);
}
