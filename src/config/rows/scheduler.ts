import { jobList } from "../job-list.ts";
import type { SettingRow } from "../setting-row.ts";
import { seconds, whole } from "../values.ts";

export const schedulerRows = {
  jobs: {
    env: "OPENCLAW_JOBS",
    live: true,
    schema: jobList,
    fallback: "",
    doc: 'Jobs, as a JSON list such as `[{"name": "report", "schedule": "0 8 * * 1-5", "zone": "Europe/Berlin", "prompt": "…"}]`; clients cannot change them.',
  },
  catchUpMs: {
    env: "OPENCLAW_JOB_CATCH_UP_SECONDS",
    schema: seconds(7 * 86_400),
    fallback: "900",
    doc: "How long after its time a run that was missed is still made up for, as the job's `catchUp` says.",
  },
  maxJobs: {
    env: "OPENCLAW_MAX_JOBS",
    schema: whole(1, 1_000_000),
    fallback: "10000",
    doc: "Jobs that there may be.",
  },
  jobsPerAgent: {
    env: "OPENCLAW_JOBS_PER_AGENT",
    schema: whole(0, 1000),
    fallback: "20",
    doc: "Jobs that one principal's agent may have made.",
  },
  concurrentRuns: {
    env: "OPENCLAW_JOB_CONCURRENCY",
    schema: whole(1, 10_000),
    fallback: "32",
    doc: "Runs of jobs that one process works on at once.",
  },
} as const satisfies Record<string, SettingRow>;
