import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ToolItem } from "../conversation.ts";
import { Arguments, summary } from "./arguments.tsx";
import { duration } from "./duration.ts";
import { useNow } from "./use-now.ts";

const states: Record<ToolItem["state"], string> = {
  running: "running",
  past: "",
  ok: "done",
  error: "failed",
  denied: "denied",
  timeout: "timed out",
};

/** What takes less is not worth a figure. */
const shortestShownMs = 100;

/** A call of a tool: open while it runs, folded to a line when it has ended, and as the reader wants it from then on. */
export function ToolCard({ call }: { call: ToolItem }) {
  const running = call.state === "running";
  const open = useSignal(running);
  const now = useNow(running);
  useEffect(() => {
    open.value = running;
  }, [running, open]);

  const elapsed = call.durationMs ?? (running && call.startedAt !== undefined ? now - call.startedAt : 0);
  return (
    <details
      class={`tool ${call.state}`}
      open={open.value}
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>
        <span class="name">{call.name}</span>
        <span class="gist">{summary(call.args)}</span>
        <span class="state">
          {states[call.state]} {elapsed >= shortestShownMs && <span class="time">{duration(elapsed)}</span>}
        </span>
      </summary>
      <Arguments text={call.args} />
      {call.reason !== undefined && <p class="reason">Reason: {call.reason}</p>}
      {call.output !== "" && (
        <pre class="output" tabIndex={0} aria-label="Output">
          {call.output}
        </pre>
      )}
    </details>
  );
}
