import type { Command } from "../agent/commands.ts";
import { AppError } from "../errors.ts";
import type { Job } from "../store/jobs.ts";
import type { JobRun } from "../store/job-runs.ts";
import type { Jobs } from "./jobs.ts";

const mostJobs = 50;
const mostRuns = 10;

const when = (ms: number) => new Date(ms).toISOString();

function jobLine({ name, spec, enabled, nextAt, source }: Job): string {
  const next = !enabled ? "off" : nextAt === undefined ? "over" : `next ${when(nextAt)}`;
  const made = source === "agent" ? ", made by an agent" : "";
  return `- ${name}: ${spec.schedule} (${spec.zone}), ${next}${made}`;
}

function runLine({ slot, state, reason, inputTokens, outputTokens }: JobRun): string {
  const tokens = inputTokens + outputTokens;
  return `- ${when(slot)}: ${state}${reason === undefined ? "" : ` (${reason})`}${tokens === 0 ? "" : `, ${tokens} tokens`}`;
}

/** `/jobs`: the caller's own, the operator's are all. */
export const jobCommands = (jobs: Jobs): Command[] => [
  {
    name: "jobs",
    usage: "[name]",
    doc: "shows the jobs, or the newest runs of one",
    when: "now",
    async run(name, { principal }) {
      const isOperator = principal.scope === "operator";
      if (name !== "") {
        const found = await jobs.get(name).catch((error: unknown) => {
          if (error instanceof AppError && error.code === "not_found") return undefined;
          throw error;
        });
        if (found === undefined || (!isOperator && found.job.owner !== principal.name))
          return `There is no job ${name}.`;
        // Another job of that name, which is gone, may have been another's.
        const { items } = await jobs.runs({ jobId: found.job.id }, { limit: mostRuns });
        return [jobLine(found.job).slice(2), ...items.map(runLine)].join("\n");
      }
      const options = { limit: mostJobs, ...(!isOperator && { owner: principal.name }) };
      const { items, next } = await jobs.list(options);
      if (items.length === 0) return "There are no jobs.";
      return ["Jobs:", ...items.map(jobLine), ...(next === undefined ? [] : ["- and more"])].join("\n");
    },
  },
];
