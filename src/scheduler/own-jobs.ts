import * as v from "valibot";
import type { Delivery } from "../agent/turn.ts";
import { AppError } from "../errors.ts";
import { tokenLimit } from "../agent/account.ts";
import { JobSpec } from "../store/job-spec.ts";
import type { Job } from "../store/jobs.ts";
import type { Store } from "../store/open.ts";
import * as turns from "../store/turns.ts";
import { turnFromRow } from "../turns/turn-row.ts";
import type { Jobs } from "./jobs.ts";

/** What an agent may say of a job that it makes. */
interface Asked {
  readonly name: string;
  readonly schedule: string;
  readonly prompt: string;
  readonly zone?: string | undefined;
  readonly session?: "own" | "fresh" | undefined;
  /** Answers go where the conversation is; else they stay in the job's session. */
  readonly deliver: boolean;
}

/** The call that asks, and what its turn is limited to. */
interface Asking {
  readonly principal: string;
  readonly turnId: string;
  readonly onlyTools?: readonly string[];
  readonly agent?: string;
  readonly maxTokens?: number;
}

const mostListed = 100;
const inspecting = new AbortController().signal;

const shown = ({ name, spec, promptStart, enabled, nextAt }: Job) => ({
  name,
  schedule: spec.schedule,
  zone: spec.zone,
  prompt: promptStart,
  enabled,
  ...(nextAt !== undefined && { nextAt }),
});

/**
 * The jobs of who a call is for, as an agent may see and make them. A job gets at most what the turn that makes it has:
 * its tools, its agent, its budget, its place of delivery.
 */
export function ownJobs(
  jobs: Jobs,
  store: Store,
  {
    caller,
    tools,
  }: {
    caller: Asking;
    tools: () => readonly string[];
  },
) {
  const { principal, turnId } = caller;
  const by = { name: principal, scope: "chat" } as const;

  /** The turn that asks. What it may is not known of one that is not kept. */
  async function maker() {
    const row = await store.read((tx) => turns.find(tx, turnId));
    if (row === undefined || row.principal !== principal)
      throw new AppError("forbidden", "Jobs can be made only in a conversation that is kept (a session).");
    return turnFromRow(row, inspecting);
  }

  return {
    async list() {
      const page = await jobs.list({ owner: principal, limit: mostListed });
      return page.items.filter((job) => job.source === "agent").map(shown);
    },

    async create({ name, schedule, prompt, zone, session, deliver }: Asked) {
      const { request, delivery } = await maker();
      // The call's own limits are what its profile leaves of those of its turn.
      const { agent = request.agent, maxTokens = tokenLimit(request) } = caller;
      const place: Delivery | undefined = deliver ? delivery : undefined;
      const spec = v.safeParse(JobSpec, {
        name,
        schedule,
        prompt,
        ...(zone !== undefined && { zone }),
        ...(session !== undefined && { session }),
        ...(agent !== undefined && { agent }),
        ...(maxTokens !== undefined && { tokens: maxTokens }),
        ...(place && { delivery: { channel: place.channel, recipient: place.recipient } }),
      });
      if (!spec.success) throw new AppError("bad_request", `Cannot make the job: ${spec.issues[0].message}`);
      const onlyTools = request.toolsOn ? (caller.onlyTools ?? request.onlyTools ?? tools()) : [];
      const made = await jobs.create(spec.output, { principal: by, agent: { turnId, onlyTools } });
      return { ...shown(made), delivered: place !== undefined };
    },

    remove: (name: string) => jobs.remove(name, by, principal),
  };
}
