import * as v from "valibot";
import { AppError } from "../errors.ts";
import { shown } from "../sandbox/paths.ts";
import { defineTool } from "../sandbox/tool.ts";

const when = (ms: number | undefined) => (ms === undefined ? "never" : new Date(ms).toISOString());

function needed(value: string | undefined, name: string, action: string): string {
  if (value !== undefined && value !== "") return value;
  throw new AppError("bad_request", `Cannot ${action}: the parameter ${name} is missing.`);
}

export const schedule = defineTool({
  name: "schedule",
  description:
    "Jobs that run without the person: make one, list or delete those that you made for them. A job is a prompt that is answered at its times, by an agent with your own tools at most, and nobody is there to approve.",
  needs: ["jobs"],
  effect: ({ action }) => (action === "list" ? "reads" : "changes"),
  input: v.object({
    action: v.pipe(v.picklist(["create", "list", "delete"]), v.description("What to do.")),
    name: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(64),
        v.description("Name of the job: letters, digits, . _ -; for create and delete."),
      ),
    ),
    schedule: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(256),
        v.description(
          'For create: a cron expression ("0 8 * * MON-FRI"), "@daily", an interval ("every 15m"), or one moment ("2027-01-31T09:00").',
        ),
      ),
    ),
    zone: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(64),
        v.description("IANA time zone, such as Europe/Berlin; UTC when left out."),
      ),
    ),
    prompt: v.optional(
      v.pipe(v.string(), v.maxLength(65_536), v.description("What is to be done each time; for create.")),
    ),
    session: v.optional(
      v.pipe(
        v.picklist(["own", "fresh"]),
        v.description("`own`: all runs share one conversation (the default); `fresh`: each has its own."),
      ),
    ),
    deliver: v.optional(
      v.pipe(
        v.boolean(),
        v.description(
          "Send the answers to where this conversation is, when that is a channel; true when left out.",
        ),
      ),
      true,
    ),
  }),
  async run({ action, name, schedule: times, zone, prompt, session, deliver }, can) {
    if (action === "list") {
      const found = await can.jobs.list();
      if (found.length === 0) return "You have made no jobs.";
      return found
        .map((job) => {
          const next = job.enabled ? `next ${when(job.nextAt)}` : "off";
          return `${job.name}: ${shown(job.schedule)} (${shown(job.zone)}), ${next}: ${shown(job.prompt)}`;
        })
        .join("\n");
    }
    const job = needed(name, "name", action);
    if (action === "delete") {
      await can.jobs.remove(job);
      return `Deleted job: ${job}`;
    }
    const made = await can.jobs.create({
      name: job,
      schedule: needed(times, "schedule", action),
      prompt: needed(prompt, "prompt", action),
      zone,
      session,
      deliver,
    });
    const where = made.delivered ? "Its answers are sent here." : `Its answers stay in its own session.`;
    return `Made job ${job}: it runs next at ${when(made.nextAt)}. ${where}`;
  },
});
