import type { Settings } from "../config/settings.ts";
import { AppError } from "../errors.ts";
import { checkDeclared } from "../scheduler/declared-jobs.ts";
import type { Finding } from "./check.ts";

/** The jobs of OPENCLAW_JOBS: can their schedules, zones and agents be used, and have their answers a way out. */
export async function inspectJobs(settings: Settings): Promise<Finding> {
  const { jobs } = settings.scheduler;
  if (jobs.length === 0) return { state: "ok", text: "none declared" };
  try {
    await checkDeclared(jobs, { agents: settings.agent.agents.map(({ name }) => name) });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { state: "fail", text: error.message, fix: "Change OPENCLAW_JOBS." };
  }
  const off = jobs.filter(({ enabled }) => !enabled).length;
  return { state: "ok", text: `${jobs.length} declared${off === 0 ? "" : `, ${off} of them off`}` };
}
