import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { asProfile, createProfiles, type Profile, withProfilesListed } from "../../src/agent/profiles.ts";
import { plainRequest, type Turn } from "../../src/agent/turn.ts";
import { limited } from "../../src/sandbox/limited.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { NewTurn } from "../../src/turns/turns.ts";
import { delegateTurn } from "../../src/turns/delegate.ts";
import { tools } from "../../src/tools/index.ts";
import { aTurn } from "../helpers/a-turn.ts";
import { runs } from "../helpers/long.ts";

const names = tools.map(({ name }) => name);
const only = fc.option(fc.subarray(names), { nil: undefined });
const limit = fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined });
const profile = fc.record({ tools: only, tokens: limit, maxSteps: limit });
/** Grants everything: what a call would be handed is not asked for here. */
const sandbox = createSandbox({
  tools,
  lend: Object.fromEntries(
    tools.flatMap(({ needs }) => needs.map((need) => [need, () => undefined as never])),
  ),
  timeoutMs: 1000,
  timeoutMaxMs: 1000,
});

const toolsOf = ({ request }: Turn) => limited(sandbox, request.onlyTools).names;
const begun = ({ request, sessionId, text }: NewTurn, id: string): Turn =>
  aTurn({ id, sessionId, text, request });

test("delegateTurn never gives a delegate more than the turn above has, whatever the profiles say and however deep", () => {
  fc.assert(
    fc.property(
      fc.record({ onlyTools: only, maxTokens: limit }),
      fc.array(profile, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("requester" as const, "none" as const),
      ({ onlyTools, maxTokens }, chain, approver) => {
        const list: Profile[] = chain.map((each, at) => ({ ...each, name: `p${at}`, description: "" }));
        const profiles = createProfiles(list);
        const request = { ...plainRequest, approver, ...(onlyTools && { onlyTools }) };
        let above = aTurn({
          id: "t",
          request: maxTokens === undefined ? request : { ...request, maxTokens },
        });
        for (const { name } of list) {
          const task = { profile: name, task: "x", emit: () => {}, signal: above.signal };
          const below = asProfile(begun(delegateTurn(above, "c", task), `${above.id}.`), profiles);
          const more = toolsOf(below).filter((tool) => !toolsOf(above).includes(tool));
          expect(more).toEqual([]);
          for (const tool of names.filter((each) => !toolsOf(below).includes(each)))
            expect(limited(sandbox, below.request.onlyTools).prepare(tool, "{}").ok).toBe(false);
          expect(below.request.approver).toBe(approver);
          const { cause } = below.request;
          if (cause?.kind !== "delegate") throw new Error("It has no cause.");
          expect(cause.root.turnId).toBe("t");
          // Every limit above holds for it too.
          if (above.request.maxTokens !== undefined)
            expect(cause.limits).toContainEqual({ turnId: above.id, tokens: above.request.maxTokens });
          if (above.request.cause?.kind === "delegate")
            expect(cause.limits).toEqual(expect.arrayContaining([...above.request.cause.limits]));
          above = below;
        }
      },
    ),
    { numRuns: runs(200, 5000) },
  );
});

test("delegateTurn finds the same turn for the same call, and another one for another call", () => {
  const task = { profile: "p", task: "x", emit: () => {}, signal: aTurn().signal };
  const first = delegateTurn(aTurn({ step: 1 }), "c", task);
  expect(delegateTurn(aTurn({ step: 1 }), "c", { ...task })).toEqual(first);
  for (const other of [
    delegateTurn(aTurn({ step: 1 }), "d", task),
    // Models use an id again in a later answer.
    delegateTurn(aTurn({ step: 2 }), "c", task),
    delegateTurn(aTurn({ step: 1, id: "turn-2" }), "c", task),
  ])
    expect(other.sessionId).not.toBe(first.sessionId);
});

test("asProfile takes the model of the profile where no other was asked for, and refuses who is not there", () => {
  const profiles = createProfiles([{ name: "p", description: "", model: "small" }]);
  const model = (request: Partial<Turn["request"]>) =>
    asProfile(aTurn({ request: { ...plainRequest, ...request } }), profiles).request.model;
  expect([model({}), model({ agent: "p" }), model({ model: "openclaw/p" })]).toEqual([
    undefined,
    "small",
    "small",
  ]);
  expect(model({ agent: "p", model: "big" })).toBe("big");
  expect(() => model({ agent: "gone" })).toThrow("There is no agent `gone`");
  expect(() => model({ model: "openclaw/gone" })).toThrow("There are: openclaw/p.");
});

test("withProfilesListed leaves the models alone where there are no profiles", async () => {
  const models = { list: async () => [{ id: "a", provider: "x" }], check: async () => {} };
  const { signal } = aTurn();
  expect(withProfilesListed(models, createProfiles([]))).toBe(models);
  const listed = withProfilesListed(models, createProfiles([{ name: "p", description: "" }]));
  expect(await listed.list(signal)).toEqual([
    { id: "a", provider: "x" },
    { id: "openclaw/p", provider: "openclaw" },
  ]);
  await listed.check("openclaw/p", signal);
});
