import { expect, test } from "bun:test";
import { createProfiles } from "../../src/agent/profiles.ts";
import { plainRequest, type TurnCause } from "../../src/agent/turn.ts";
import { delegateOf, type DelegationParts } from "../../src/turns/delegate.ts";
import { createPlaces } from "../../src/turns/delegate-places.ts";
import { watchDelegate } from "../../src/turns/delegate-watch.ts";
import { aTurn } from "../helpers/a-turn.ts";

const profiles = createProfiles(["a", "b", "c"].map((name) => ({ name, description: "" })));
const parts = { profiles, depth: 2, width: 1 } as unknown as DelegationParts;

const cause = (depth: number, above: readonly string[]): TurnCause => ({
  ...{ kind: "delegate", turnId: "t", callId: "c", depth, root: { turnId: "t" }, above, limits: [] },
});
const asked = (agent: string, of: TurnCause) => aTurn({ request: { ...plainRequest, agent, cause: of } });

test("delegateOf refuses a circle and the depth, and names who is left", () => {
  expect(() => delegateOf(asked("b", cause(1, ["a"])), "a", parts)).toThrow(
    "Cannot delegate to a: this is work that was delegated by a (a → b), so it would go in a circle. There are: c.",
  );
  expect(() => delegateOf(asked("b", cause(1, ["a"])), "b", parts)).toThrow("that is the agent that asks");
  expect(() => delegateOf(asked("b", cause(2, ["a"])), "c", parts)).toThrow("OPENCLAW_DELEGATION_DEPTH");
  expect(delegateOf(asked("b", cause(1, ["a"])), "c", parts).name).toBe("c");
});

test("createPlaces lets the next one in when one leaves, and forgets who gave up", async () => {
  const places = createPlaces(1);
  const { signal } = new AbortController();
  const gone = new AbortController();
  let waited = 0;
  const enter = (by: AbortSignal) => places.enter("t", by, () => waited++);
  await enter(signal);
  const given = enter(gone.signal);
  const next = enter(signal);
  await places.enter("other", signal, () => waited++);
  expect(waited).toBe(2);
  gone.abort();
  await expect(given).rejects.toMatchObject({ code: "cancelled" });
  places.leave("t");
  await next;
  // Who waited for a person comes back at once, and nobody else comes in until both are gone.
  places.comeBack("t");
  const last = enter(signal);
  places.leave("t");
  expect(await Promise.race([last.then(() => "in"), Promise.resolve("waits")])).toBe("waits");
  places.leave("t");
  await last;
});

test("watchDelegate shows a bounded part of what is done, and keeps the answer of the last step", () => {
  let shown = "";
  const watch = watchDelegate({
    profile: "a",
    emit: (text) => (shown += text),
    asks: () => {},
    waits: () => {},
  });
  const step = { type: "status", code: "step", text: "", maxSteps: 9 } as const;
  watch.take({ ...step, step: 1 }, true);
  for (let each = 0; each < 300; each++) watch.take({ type: "text", text: "x".repeat(1000) }, true);
  expect(shown.length).toBeLessThan(22_000);
  expect(shown).toEndWith("[a] more is in its session\n");
  expect(watch.progress().text).toHaveLength(100_000);
  watch.take({ ...step, step: 2 }, true);
  watch.take({ type: "text", text: "the end" }, true);
  expect(watch.progress()).toEqual({ text: "the end", steps: 2, denied: [] });
});

test("watchDelegate waits for a person until the delegate that asks has its result, whatever else that one shows", () => {
  const waiting: boolean[] = [];
  const watch = watchDelegate({
    ...{ profile: "a", emit: () => {}, asks: () => {} },
    waits: (isWaiting) => waiting.push(isWaiting),
  });
  const of = { callId: "c", toolName: "delegate_agent" };
  const asks = { type: "approval", ...of, argumentsPreview: "", reason: "" } as const;
  watch.take({ ...asks, approvalId: "1" }, true);
  watch.take({ ...asks, approvalId: "2" }, true);
  watch.take({ type: "tool_chunk", ...of, text: "[b] write_file ok\n" }, true);
  expect(waiting).toEqual([true]);

  watch.take({ type: "tool_result", ...of, text: "", resultStatus: "ok", durationMs: 1 }, true);
  expect(waiting).toEqual([true, false]);
});
