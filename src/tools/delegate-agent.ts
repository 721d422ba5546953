import * as v from "valibot";
import { defineTool } from "../sandbox/tool.ts";

export const delegateAgent = defineTool({
  name: "delegate_agent",
  description:
    "Hand a task to a specialist and wait for its answer. It knows nothing of this conversation: say all that it needs. Call it several times at once for tasks that do not need each other.",
  needs: ["delegate"],
  // It changes nothing by itself: what the delegate does is asked about call by call.
  effect: () => "reads",
  // A call that was cut goes on with the delegate that it began.
  resumes: true,
  // A delegate has the time of its profile.
  ownTime: true,
  input: v.object({
    profile: v.pipe(v.string(), v.nonEmpty(), v.maxLength(64), v.description("Name of the specialist.")),
    task: v.pipe(
      v.string(),
      v.nonEmpty(),
      v.maxLength(65_536),
      v.description("What it is to do, with everything that it has to know, and what it is to answer with."),
    ),
  }),
  run: ({ profile, task }, can, { emit, signal }) => can.delegate.run({ profile, task, emit, signal }),
});
