import { plainRequest, type Turn, type TurnEvent } from "../agent/turn.ts";
import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { userMessage } from "../llm/message.ts";
import { inferProvider } from "../llm/providers.ts";
import type { Grants } from "../sandbox/grants.ts";
import { openRoots } from "../sandbox/files/roots.ts";
import { createAuditTrail } from "../store/audit-trail.ts";
import { memoryStore } from "../store/open.ts";
import { uncounted } from "../telemetry/instruments.ts";
import type { Turns } from "../turns/turns.ts";
import { createCore } from "./core.ts";
import { grant } from "./grant.ts";

/** What a turn is held to says nothing about whether turns work: the demo turn takes what it takes. */
const withoutLimits = ({ agent, middleware, ...others }: Settings): Settings => ({
  ...others,
  agent: { ...agent, maxSteps: 25, approvalTools: [] },
  middleware: {
    ...middleware,
    tokensPerTurn: 0,
    tokensPerSession: 0,
    tokensPerDay: 0,
    tokensPerName: {},
    costPerDay: 0,
  },
});

/** One turn of the demo model with a tool call, through the whole pipeline, over a store in memory; no metric counts it. */
export async function selfTest(settings: Settings): Promise<readonly TurnEvent[]> {
  const provider = inferProvider({ provider: "demo", timeoutMs: 5000 });
  const roots = openRoots({ workspace: undefined, readRoots: [], writeRoots: [] });
  const store = await memoryStore();
  let grants: Grants | undefined;
  try {
    const accept: Turns["accept"] = (turn) => core.turns.accept(turn);
    const jobs = () => {
      throw new AppError("unavailable", "The self-test has no jobs.");
    };
    grants = await grant({ settings, provider, store, roots, ownPort: () => undefined, accept, jobs });
    const core = createCore(withoutLimits(settings), [provider], store, roots, grants, {
      audit: createAuditTrail(),
    });
    const text = "What time is it?";
    const turn: Turn = {
      id: "self-test",
      principal: { name: "operator", scope: "operator" },
      channel: "check",
      text,
      entries: [userMessage(text)],
      request: { ...plainRequest, approver: "none" },
      resumed: false,
      signal: AbortSignal.timeout(10_000),
      outsideSlot: (wait) => wait(),
    };
    return await uncounted(() => Array.fromAsync(core.run(turn)));
  } finally {
    // The server asks for this as often as somebody looks at its doctor.
    await grants?.close();
    await store.close();
    roots.close();
  }
}
