import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { breaches, cycles, type Plan, readPlan, type Sources } from "./helpers/house-plan.ts";

const src = join(import.meta.dir, "../src");
const mostLines = 300;

let sources: Sources = new Map();
let plan: Plan = new Map();
beforeAll(async () => {
  const paths = await Array.fromAsync(new Bun.Glob("**/*.{ts,tsx}").scan(src));
  sources = new Map(
    await Promise.all(paths.map(async (path) => [path, await Bun.file(join(src, path)).text()] as const)),
  );
  plan = readPlan(await Bun.file(join(src, "README.md")).text());
});

const offenders = (pattern: RegExp, except: (path: string) => boolean) =>
  [...sources].filter(([path, text]) => !except(path) && pattern.test(text)).map(([path]) => path);

describe("the plan of the house", () => {
  test("is read whole from src/README.md", () => {
    expect(plan.size).toBeGreaterThan(14);
    expect(plan.get("tools")).toEqual(["sandbox"]);
    expect(plan.get("llm")).toEqual([]);
    expect(plan.get("doctor")).toContain("gateway");
    expect(plan.get("doctor")).not.toContain("assemble.ts");
    expect(sources.size).toBeGreaterThan(30);
  });

  test("holds: nothing imports what its row does not allow", () => {
    expect(breaches(sources, plan)).toEqual([]);
  });

  test("has no cycle, not even of types", () => {
    expect(cycles(sources)).toEqual([]);
  });

  test("keeps every file short enough for one sitting", () => {
    const long = [...sources].filter(([, text]) => text.split("\n").length > mostLines).map(([path]) => path);
    expect(long).toEqual([]);
  });

  test("reads the environment in config and nowhere else", () => {
    const page = (path: string) => path.startsWith("gateway/web/page/");
    expect(
      offenders(/\b(?:process|Bun|import\.meta)\.env\b/, (path) => path.startsWith("config/") || page(path)),
    ).toEqual([]);
  });

  test("keeps tools away from the world", () => {
    expect(
      offenders(/(?:from|import)\s*\(?\s*["'](?:node:|bun)/, (path) => !path.startsWith("tools/")),
    ).toEqual([]);
  });
});

describe("breaches", () => {
  const found = (path: string, text: string) => breaches(new Map([[path, text]]), plan);

  test("finds an import upwards, a type import too, and one that is lazy", () => {
    expect(found("llm/x.ts", 'import { open } from "../store/open.ts";')).toEqual([
      "llm/x.ts → store/open.ts",
    ]);
    expect(found("tools/x.ts", 'import type {\n  Turn,\n} from "../agent/turn.ts";')).toEqual([
      "tools/x.ts → agent/turn.ts",
    ]);
    expect(found("store/x.ts", 'await import("../agent/loop.ts")')).toEqual(["store/x.ts → agent/loop.ts"]);
    expect(found("store/x.ts", 'import "../turns/runner.ts";')).toEqual(["store/x.ts → turns/runner.ts"]);
    expect(found("agent/deep/x.ts", 'export * from "../../gateway/app.ts";')).toEqual([
      "agent/deep/x.ts → gateway/app.ts",
    ]);
  });

  test("finds settings outside the parts that hand them down, and telemetry in config", () => {
    expect(found("agent/x.ts", 'import { a } from "../config/load.ts";')).toHaveLength(1);
    expect(found("config/x.ts", 'import { log } from "../telemetry/log.ts";')).toHaveLength(1);
    expect(found("cli/x.ts", 'import { a } from "../config/load.ts";')).toEqual([]);
  });

  test("finds a part that the plan does not have", () => {
    expect(found("utils/x.ts", "")).toEqual(["utils is not in the plan"]);
  });

  test("allows what the table says", () => {
    expect(
      found(
        "agent/x.ts",
        'import { a } from "./y.ts"; import { b } from "../sandbox/tool.ts"; import { c } from "../errors.ts";',
      ),
    ).toEqual([]);
  });
});

describe("cycles", () => {
  test("finds a way back, of types too, and names it", () => {
    const three = new Map([
      ["a.ts", 'import type { B } from "./b.ts";'],
      ["b.ts", 'import { c } from "./c.ts";'],
      ["c.ts", 'await import("./a.ts");'],
    ]);
    expect(cycles(three)).toEqual(["a.ts → b.ts → c.ts → a.ts"]);
    expect(
      cycles(
        new Map([
          ["a.ts", 'import "./b.ts";'],
          ["b.ts", ""],
        ]),
      ),
    ).toEqual([]);
  });
});
