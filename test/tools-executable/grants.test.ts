import { expect, test } from "bun:test";
import * as v from "valibot";
import { tools } from "../../src/tools/index.ts";
import { startToolWorkspace, type ToolWorkspace } from "./tool-workspace.ts";

const Listed = v.object({ items: v.array(v.looseObject({ name: v.string() })) });

async function listed({ server, token }: ToolWorkspace): Promise<readonly string[]> {
  const answer = await fetch(`${server.url}/api/tools`, { headers: { authorization: `Bearer ${token}` } });
  return v.parse(Listed, await answer.json()).items.map(({ name }) => name);
}

/** What is always there: it touches nothing but what is ours. */
const always = ["time", "memory", "memory_search", "sessions"];

test("every tool is there with its flag on the executable, and offered to the model", async () => {
  await using at = await startToolWorkspace();
  const all = tools.map(({ name }) => name);
  expect(await listed(at)).toEqual(all);
  await at.call("time", {});
  expect(at.lastBody()?.tools.map((tool) => tool.function.name)).toEqual(all);
  expect(at.server.stdout()).toContain(`  tools    ${all.join(", ")} (autonomy: full)`);
  expect(at.server.stdout()).not.toContain("  warning ");
});

test("every tool is absent without its flag on the executable, and a call of it is denied", async () => {
  await using at = await startToolWorkspace({ granted: false });
  const granted = tools.map(({ name }) => name).filter((name) => always.includes(name));
  expect(await listed(at)).toEqual(granted);
  const absent = tools.map(({ name }) => name).filter((name) => !always.includes(name));
  const results = await at.run(absent.map((name) => ({ name, arguments: {} })));
  expect(results.map(({ name, status, reason }) => [name, status, reason]).toSorted()).toEqual(
    absent.map((name) => [name, "denied", "not_granted"]).toSorted(),
  );
  expect(at.lastBody()?.tools.map((tool) => tool.function.name)).toEqual(granted);
});
