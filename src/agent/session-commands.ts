import type { Models } from "../llm/llm.ts";
import * as rules from "../store/approval-rules.ts";
import type { Store } from "../store/open.ts";
import * as sessions from "../store/sessions.ts";
import { sessionTotals, type Spending } from "../store/usage-report.ts";
import type { Approvals } from "./approvals.ts";
import type { Command } from "./commands.ts";
import { decisionScopes } from "./decision.ts";
import { verdictText } from "./plain-text.ts";
import type { Turn } from "./turn.ts";

export interface SessionCommandParts {
  readonly store: Store;
  readonly models: Models;
  readonly approvals: Approvals;
  /** Ends the turn that runs in a session; false when none does. */
  readonly stop: (turn: Turn) => Promise<boolean>;
}

/** What is not known is said, and never shown as nothing. */
function costOf({ cost, calls, unpricedCalls }: Spending): string {
  if (cost === undefined) return calls === 0 ? "Cost: $0" : "Cost: not known (OPENCLAW_PRICES says prices)";
  const rest = unpricedCalls === 0 ? "" : `, and ${unpricedCalls} calls whose price is not known`;
  return `Cost: $${(cost / 1_000_000).toFixed(4)}${rest}`;
}

const needsSession = "This command needs a session that is kept.";

/** The commands about the session that they are sent in. The first words of some answers are fixed: clients read them. */
export function sessionCommands({ store, models, approvals, stop }: SessionCommandParts): Command[] {
  const find = (turn: Turn) =>
    store.read(async (tx) => (turn.sessionId === undefined ? undefined : sessions.find(tx, turn.sessionId)));

  const forget = async (_args: string, { sessionId }: Turn) => {
    if (sessionId === undefined) return needsSession;
    await store.write(async (tx) => {
      await sessions.setLeaf(tx, sessionId, null, Date.now());
      await rules.forgetSession(tx, sessionId);
    });
    return "Session history has been reset. What was said stays stored, but the model no longer sees it.";
  };

  return [
    {
      name: "status",
      doc: "shows this session",
      when: "now",
      async run(_args, turn) {
        const session = await find(turn);
        if (session === undefined) return needsSession;
        return [
          "Session info:",
          `- id: ${session.id}`,
          `- channel: ${session.channel}`,
          `- model: ${session.model ?? "default"}`,
          `- started: ${new Date(session.createdAt).toISOString()}`,
        ].join("\n");
      },
    },
    { name: "new", doc: "begins anew: the model forgets what was said", when: "in_turn", run: forget },
    { name: "reset", doc: "the same as /new", when: "in_turn", run: forget },
    {
      name: "model",
      usage: "[name|reset]",
      doc: "shows or sets the model of this session",
      when: "now",
      async run(name, turn) {
        const { sessionId } = turn;
        if (sessionId === undefined) return needsSession;
        if (name === "") return `Model of this session: ${(await find(turn))?.model ?? "default"}`;
        if (name !== "reset") await models.check(name, turn.signal);
        await store.write((tx) =>
          sessions.setModel(tx, sessionId, name === "reset" ? null : name, Date.now()),
        );
        return name === "reset" ? "Model override cleared." : `Model override set to: ${name}`;
      },
    },
    {
      name: "usage",
      doc: "shows the tokens spent in this session",
      when: "now",
      async run(_args, { sessionId }) {
        if (sessionId === undefined) return needsSession;
        const spent = await store.read((tx) => sessionTotals(tx, sessionId));
        const total = spent.inputTokens + spent.outputTokens;
        const tokens = `${total} (input ${spent.inputTokens}, output ${spent.outputTokens})`;
        return `Total Token Usage in this session: ${tokens}\n${costOf(spent)}`;
      },
    },
    {
      name: "stop",
      doc: "ends the turn that runs; the session stays",
      when: "now",
      run: async (_args, turn) => ((await stop(turn)) ? "Stopped." : "Nothing is running in this session."),
    },
    {
      name: "approve",
      usage: "<id> yes|no [session|always]",
      doc: "decides about a tool call that waits",
      when: "now",
      run: (args, turn) => approveByText(approvals, args, turn),
    },
  ];
}

const yes = ["yes", "y", "approve", "true"];
const no = ["no", "n", "deny", "false"];

/** `/approve <id> yes|no [session|always]`, or a note in the place of the scope, with the answers that clients of OpenClaw.NET know. */
async function approveByText(approvals: Approvals, args: string, turn: Turn): Promise<string> {
  const [id = "", word = "", ...rest] = args.split(" ");
  const decision = word.toLowerCase();
  if (id === "" || !(yes.includes(decision) || no.includes(decision)))
    return "Usage: /approve <id> yes|no [session|always]";
  const approved = yes.includes(decision);
  const note = rest.join(" ");
  const scope = decisionScopes.find((each) => each === note.toLowerCase());
  const verdict = await approvals.decide(id, turn.principal, {
    approved,
    ...(scope === undefined ? { note: note || undefined } : { scope }),
  });
  return verdictText(verdict, id, approved);
}
