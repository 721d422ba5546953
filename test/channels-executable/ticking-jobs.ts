import * as v from "valibot";

/** Jobs that are due each second, and what became of their slots. */

export const token = "an-operators-token";
const login = { authorization: `Bearer ${token}` };

const ticking = { schedule: "every 1s", prompt: "Say the time.", catchUp: "all", overlap: "queue" };
/** Who hears each job. */
export const jobs = { declared: "401", made: "+15005550402" };

export const jobEnv = {
  OPENCLAW_AUTH_TOKEN: token,
  OPENCLAW_JOBS: JSON.stringify([
    { ...ticking, name: "declared", delivery: { channel: "telegram", recipient: jobs.declared } },
  ]),
};

/** Makes the other one as a client does. */
export async function makeJob(url: string): Promise<void> {
  const job = { ...ticking, name: "made", delivery: { channel: "sms", recipient: jobs.made } };
  const made = await fetch(`${url}/api/jobs`, {
    method: "POST",
    headers: { ...login, "content-type": "application/json" },
    body: JSON.stringify(job),
  });
  if (!made.ok) throw new Error(await made.text());
}

const Runs = v.object({
  items: v.array(v.object({ slot: v.number(), state: v.string(), attempts: v.number(), slots: v.number() })),
  next: v.optional(v.string()),
});
export type Run = v.InferOutput<typeof Runs>["items"][number];

/** The runs of a job, the oldest first. */
export async function runsOf(url: string, job: string): Promise<Run[]> {
  const all: Run[] = [];
  for (let cursor = "", more = true; more;) {
    const path = `/api/jobs/${job}/runs?limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = v.parse(Runs, await (await fetch(url + path, { headers: login })).json());
    all.unshift(...page.items.toReversed());
    cursor = page.next ?? "";
    more = cursor !== "";
  }
  return all;
}
