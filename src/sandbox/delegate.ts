import { AppError } from "../errors.ts";
import type { CanDelegate } from "./can-delegate.ts";
import type { Caller } from "./tool.ts";

/** What the agent does for its call; there is none for a call that no agent makes. */
export function lendDelegate({ delegate }: Caller): CanDelegate {
  if (delegate === undefined)
    throw new AppError("forbidden", "Nothing can be delegated here: there are no agents (OPENCLAW_AGENTS).");
  return delegate;
}
